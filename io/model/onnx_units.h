#pragma once

#include <string>

#include "io/model/model_description.h"
#include "io/model/onnx_graph.h"

/// Nodes between a model's own values and those of its data.
namespace quadgate {

/// (x - mean) / std of each column, x [N, T, I] being in the data's units; x itself of columns that
/// are not standardized.
std::string add_standardization(OnnxGraph& graph, const std::string& x,
                                const DataDescription& data);

/// What `quadgate predict` tells of a head's outputs [N, O]: probabilities of the loss bce, scale
/// and df of a distribution, a forecast in its column's units.
std::string add_original_units(OnnxGraph& graph, std::string outputs,
                               const ModelDescription& model);

}  // namespace quadgate
