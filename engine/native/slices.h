#pragma once

#include <cstdint>

#include "engine/base/ceil_div.h"

namespace quadgate::native {

/// How recurrent layers want the sequences of a batch that take slices of a fixed number of them,
/// whatever the cores, each by one core.
struct Slices {
  std::int64_t rows = 0;        ///< sequences of a slice; 0: as many as it pleases the cores
  std::int64_t batch_size = 0;  ///< most sequences of a batch
  /// A slice is back before its core takes the next one: they go in rounds of one a core. If not,
  /// all have arrays of their own.
  bool one_by_one = true;

  std::int64_t count() const noexcept { return rows == 0 ? 0 : ceil_div(batch_size, rows); }
};

}  // namespace quadgate::native
