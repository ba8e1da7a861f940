#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace quadgate {

/// A table [rows, width] at the start of the flat arrays of which a batch differentiates few rows:
/// the optimizer leaves the others and their state alone.
struct SparseRows {
  std::size_t size = 0;                     ///< floats of the flat arrays that are its own; 0: none
  std::int64_t width = 0;                   ///< of a row
  std::span<const std::int32_t> present{};  ///< the rows that have a gradient, each once
};

}  // namespace quadgate
