#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Gathers rows into panels of the right side of a product, which follow each other. The last panel
/// is as wide as it has vectors. With index = {4, -1, 0} and 6 columns in vectors of 8:
///
///     to[0]   from[4][0 .. 5]   0 0
///     to[1]   0 0 0 0 0 0       0 0
///     to[2]   from[0][0 .. 5]   0 0
struct Gather {
  std::int64_t rows;
  const std::int64_t* index;  ///< [rows]: of `from`, or -1 for zeros; null: 0, 1, 2, ...
  const float* from;          ///< rows `from_stride` apart
  std::int64_t from_stride;
  std::int64_t columns;
  float* to;  ///< of each panel [rows, width]
};
using GatherKernel = void (*)(const Gather& gather) noexcept;
GatherKernel gather_kernel(Isa isa) noexcept;

/// Transposes rows into the lanes of vectors. Lanes from `count` on become zero. With 3 rows in
/// vectors of 8:
///
///     to[0]   from[0][0]  from[1][0]  from[2][0]  0 0 0 0 0
///     to[1]   from[0][1]  from[1][1]  from[2][1]  0 0 0 0 0
struct Transpose {
  std::int64_t count;  ///< at most the lanes of a vector
  std::int64_t depth;
  const float* from;  ///< [count, depth], rows `from_stride` apart
  std::int64_t from_stride;
  float* to;  ///< [depth, lanes], rows `to_stride` apart
  std::int64_t to_stride;
};
using TransposeKernel = void (*)(const Transpose& transpose) noexcept;
TransposeKernel transpose_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
