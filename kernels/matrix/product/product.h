#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// The left side of a product: element [m, k] at data[m * row_stride + (k % run) * step +
/// k / run * run_stride]. A plain row-major matrix has run = depth and step = 1; step and
/// row_stride exchanged read it transposed; runs walk over the panels of a gate array
/// (lstm/lstm.h).
struct Lhs {
  const float* data;
  std::int64_t row_stride;
  std::int64_t step;
  std::int64_t run;
  std::int64_t run_stride;
};

/// c [rows, columns], rows `stride` floats apart, as it was (or `bias` [columns] in each row, or
/// 0).
struct Output {
  enum class Start : std::uint8_t { zero, bias, add };

  float* data;
  std::int64_t stride;
  std::int64_t columns;
  Start start;
  const float* bias;  ///< padded to whole vectors; null unless start is bias
};

/// c += a b over `depth` terms, which each element adds one after another with a fused
/// multiply-add: so its bits depend on nothing but its own row, column and start, and are the same
/// from every ISA. `b` is one panel of the right side: [depth, width] contiguous, where width is
/// `columns` rounded up to whole vectors, at most four. rows and depth may be 0. No alignment is
/// asked for; a and b do not overlap c.
using ProductKernel = void (*)(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                               const Output& c) noexcept;

/// The version for `isa`, which the machine must support, and panels of its own vectors.
ProductKernel product_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
