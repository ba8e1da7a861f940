#pragma once

#include <vector>

namespace quadgate {

/// The states of a recurrent stack before its first steps or after its last ones, in the layout of
/// PyTorch's h_0, c_0, h_n and c_n: of layer l and direction d at l * directions + d.
struct RecurrentStates {
  std::vector<float> h;  ///< [num_layers * directions, N, proj_size or hidden_size]
  std::vector<float> c;  ///< [num_layers * directions, N, hidden_size]; empty but for LSTMs
};

}  // namespace quadgate
