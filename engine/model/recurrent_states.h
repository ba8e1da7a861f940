#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/model/config.h"

namespace quadgate {

/// The states of a recurrent stack before its first steps or after its last ones, in the layout of
/// PyTorch's h_0, c_0, h_n and c_n: layer l in direction d lies at l * directions + d.
struct RecurrentStates {
  std::vector<float> h;  ///< [num_layers * directions, N, proj_size or hidden_size]
  std::vector<float> c;  ///< [num_layers * directions, N, hidden_size]; empty but for LSTMs

  /// The numbers of values of h and c for N = `rows` sequences.
  struct Sizes {
    std::int64_t h, c;
  };
  static Sizes sizes(const RecurrentConfig& config, std::int64_t rows) noexcept {
    const std::int64_t all = config.num_layers * config.num_directions() * rows;
    return {all * config.h_size(), config.cell == Cell::lstm ? all * config.hidden_size : 0};
  }
  /// Zeros.
  static RecurrentStates zeros(const RecurrentConfig& config, std::int64_t rows) {
    const Sizes size = sizes(config, rows);
    return {.h = std::vector<float>(static_cast<std::size_t>(size.h)),
            .c = std::vector<float>(static_cast<std::size_t>(size.c))};
  }
};

}  // namespace quadgate
