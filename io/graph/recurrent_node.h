#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/config.h"
#include "io/graph/graph_file.h"
#include "io/graph/tensor.h"
#include "io/tensors/tensor_file.h"

namespace quadgate::graph {

/// An LSTM, GRU or RNN node, with its weights in ONNX's order of gates.
struct RecurrentNode {
  Cell cell = Cell::lstm;
  std::int64_t directions = 1;
  bool is_reverse = false;  ///< from the last step to the first alone
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  TensorPtr w{};  ///< [directions, gates * H, I]
  TensorPtr r{};  ///< [directions, gates * H, H]
  TensorPtr b{};  ///< [directions, 2 * gates * H] or null
};

/// Throws FileError, naming the node, if it computes what PyTorch's cells do not: clip, other
/// activations, a GRU without linear_before_reset, layout 1.
RecurrentNode read_recurrent(const Node& node, TensorPtr w, TensorPtr r, TensorPtr b);

/// A layer that is_reverse as one of both directions: its own is the reverse one, and the forward
/// one is of zeros, so that its states are zeros. Takes their room.
RecurrentNode with_forward_of_zeros(RecurrentNode layer, Folder& folder);

/// Zeros in front of the last axis: a weight for the features of a layer that is_reverse becomes
/// one for those of both directions. Takes their room.
TensorPtr behind_zeros(const TensorPtr& weight, Folder& folder);

/// Adds a layer's weights under PyTorch's names (rnn.weight_ih_l0, ...) and in its order of gates;
/// with `bias` biases too, of zeros where the node has none. Takes their room.
void add_tensors(const RecurrentNode& from, std::int64_t layer, bool bias, Folder& folder,
                 std::vector<NamedTensor>& to);

}  // namespace quadgate::graph
