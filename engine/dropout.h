#pragma once

#include <cstdint>
#include <span>

namespace quadgate {

/// Which random numbers the dropout of a training pass draws.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
};

/// Dropout with probability p on one step of one sequence, in place: each value becomes 0 or is
/// multiplied by 1 / (1 - p). The numbers depend on the key, the layer, the sequence's row in the
/// batch, the step t and the place in `values` only.
void apply_dropout(const DropoutKey& key, double p, std::int64_t layer, std::int64_t row,
                   std::int64_t t, std::span<float> values) noexcept;

}  // namespace quadgate
