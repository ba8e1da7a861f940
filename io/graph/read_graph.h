#pragma once

#include <string>
#include <vector>

#include "engine/model/config.h"
#include "io/graph/graph_file.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::graph {

/// What a graph computes, as a model of ours.
struct GraphModel {
  ModelConfig config;                ///< without a head, output_size is 0
  std::vector<NamedTensor> tensors;  ///< under the names of checkpoints
  std::vector<std::string> notes;    ///< what is assumed or left out
};

/// Follows the graph from its inputs to its outputs, whatever nodes and arrays are called: tokens
/// through an embedding (Gather), a convolution (Conv, Relu, MaxPool), layers (LSTM, GRU, RNN), the
/// last step, the mean or the largest over the steps, and a head (MatMul and Add, or Gemm). Nodes
/// that only arrange, constants and zero states are seen through. Throws FileError, without the
/// file's name, that names the first node that is none of these.
GraphModel read_graph(GraphFile& file);

/// The constants and layers of a graph that write_onnx wrote, by the names that it gives them. It
/// does not look at what else the graph computes. Throws FileError, without the file's name.
TensorFile read_own_graph(GraphFile& file);

}  // namespace quadgate::graph
