#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/config.h"

namespace quadgate {

/// The states of a recurrent stack before its first steps or after its last ones, in the layout of
/// PyTorch's h_0, c_0, h_n and c_n: of layer l and direction d at l * directions + d.
struct RecurrentStates {
  std::vector<float> h;  ///< [num_layers * directions, N, proj_size or hidden_size]
  std::vector<float> c;  ///< [num_layers * directions, N, hidden_size]; empty but for LSTMs

  /// Zeros for N = `rows` sequences.
  static RecurrentStates zeros(const RecurrentConfig& config, std::int64_t rows) {
    const std::int64_t all = config.num_layers * config.num_directions() * rows;
    const std::int64_t c_size = config.cell == Cell::lstm ? config.hidden_size : 0;
    return {.h = std::vector<float>(static_cast<std::size_t>(all * config.h_size())),
            .c = std::vector<float>(static_cast<std::size_t>(all * c_size))};
  }
};

}  // namespace quadgate
