#pragma once

#include <cstdint>

#include "kernels/matrix/pack/pack.h"
#include "kernels/matrix/product/product.h"

namespace quadgate::kernels {

// bf16 is a float's upper 16 bits. Two of them that follow each other in a sum, k in the lower half
// and k + 1 in the upper, make a pair, which travels as the float whose bits it is; where k + 1
// does not exist, it is 0. Floats become bf16 rounded to the nearest, halves to the even one;
// denormal numbers become 0.

/// The product of product.h over pairs: `depth`, `run` and `step` count pairs. Each pair adds its
/// upper product, then its lower one, by fused multiply-adds to a float, with denormal inputs and
/// results taken as 0: what VDPBF16PS does. Isa::avx512_bf16 has that instruction, the others give
/// the same bits more slowly.
ProductKernel bf16_product_kernel(Isa isa) noexcept;

/// As gather_kernel, with two rows at a time in pairs: to [(rows + 1) / 2, width],
/// width in whole vectors of 16.
GatherKernel bf16_gather_kernel(Isa isa) noexcept;

/// As transpose_kernel, with two columns of `from` at a time in pairs: to [(depth + 1) / 2, 16].
TransposeKernel bf16_transpose_kernel(Isa isa) noexcept;

/// Rounds rows of floats to pairs of neighbours.
struct Bf16Rows {
  std::int64_t rows;
  std::int64_t columns;
  const float* from;  ///< [rows, columns], rows from_stride apart
  std::int64_t from_stride;
  float* to;  ///< [rows, (columns + 1) / 2] pairs, rows to_stride apart
  std::int64_t to_stride;
};
using Bf16RowsKernel = void (*)(const Bf16Rows& rows) noexcept;
Bf16RowsKernel bf16_rows_kernel(Isa isa) noexcept;

/// Brings two rows of pairs at a time together: to [(rows + 1) / 2, columns] gets bf16 number i of
/// rows k and k + 1 as a pair.
struct Bf16Interleave {
  std::int64_t rows;
  const std::int64_t* index;  ///< of the rows in `from`, -1: zeros; null: 0, 1, 2, ...
  const float* from;          ///< pairs of neighbours, rows from_stride apart; whole vectors of 16
                              ///< numbers are read
  std::int64_t from_stride;
  std::int64_t columns;  ///< numbers of a row, 1 to 64; `to` has whole vectors of 16
  float* to;
};
using Bf16InterleaveKernel = void (*)(const Bf16Interleave& rows) noexcept;
Bf16InterleaveKernel bf16_interleave_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
