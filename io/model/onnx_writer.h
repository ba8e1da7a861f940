#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "engine/model/parameters.h"
#include "io/model/checkpoint.h"

namespace quadgate {

/// With kOriginal, x is in the units of the data, as what the head tells of values is.
inline constexpr const char* kUnitsKey = "quadgate.units";
inline constexpr const char* kOriginal = "original";
/// With kProbabilities, the outputs are those of classes, the softmax of the logits.
inline constexpr const char* kOutputsKey = "quadgate.outputs";
inline constexpr const char* kProbabilities = "probabilities";

/// A whole model as an ONNX graph of opset 17. N and T vary:
///
///     in    x          [N, T, I]              or tokens [N, T]
///           lengths    int32 [N]              steps beyond them count for nothing
///           h_0, c_0   [layers, N, H]         of a language model
///     out   output     [N, output_size]       or [N, T, output_size] of tagger and language model
///           h_n, c_n   [layers, N, H]         of a language model
///
/// Outputs are logits of classes, or values as the model was trained on; `metadata`, which the file
/// keeps, ask for others (see kUnitsKey, kOutputsKey). Only an LSTM has c. The same model gives the
/// same bytes. Throws InvalidArgument for what ONNX does not have (proj_size).
std::vector<std::byte> to_onnx(const ModelDescription& model, const Parameters& parameters,
                               const std::map<std::string, std::string>& metadata);

/// Writes what to_onnx gives. Atomic (see replace_file). Throws InvalidArgument as it does,
/// FileError.
void write_onnx(const std::filesystem::path& path, const ModelDescription& model,
                const Parameters& parameters, const std::map<std::string, std::string>& metadata);

}  // namespace quadgate
