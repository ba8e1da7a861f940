#pragma once

#include <cstdint>

namespace quadgate {

/// Which random numbers the dropout of a training pass draws.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
  /// Of the pass's first row in the whole batch, where the rows of a pass are a part of it.
  std::int64_t first_row = 0;
};

}  // namespace quadgate
