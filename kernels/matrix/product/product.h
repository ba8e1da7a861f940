#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// The left side of a product. Element [m, k] lies at
///
///     data[m * row_stride + k % run * step + k / run * run_stride]
///
/// A row-major matrix has run = depth and step = 1. Exchange step and row_stride, and it is read
/// transposed. Runs walk over the panels of a gate array (cells/cell.h):
///
///     row m    panel 0 | k = 0 .. run - 1 |   panel 1 | k = run .. 2 run - 1 |   ...
///                      ^ data + m * row_stride        ^ run_stride further on
struct Lhs {
  const float* data;
  std::int64_t row_stride;
  std::int64_t step;
  std::int64_t run;
  std::int64_t run_stride;
};

/// The result c [rows, columns], rows `stride` floats apart. The sums start from what is there,
/// from `bias` [columns] or from 0.
struct Output {
  enum class Start : std::uint8_t { zero, bias, add };

  float* data;
  std::int64_t stride;
  std::int64_t columns;
  Start start;
  const float* bias;  ///< padded to whole vectors; null unless start is bias
};

/// c += a b over `depth` terms. Each element adds its terms one after another with fused
/// multiply-adds. So its bits depend on its own row, column and start alone, and every ISA gives
/// the same. `b` is one panel of the right side, [depth, width] contiguous. width is `columns`
/// rounded up to whole vectors, at most four. rows and depth may be 0. The arrays have any
/// alignment. a and b do not overlap c.
using ProductKernel = void (*)(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                               const Output& c) noexcept;

/// The version for `isa`, which the machine must support, and panels of its own vectors.
ProductKernel product_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
