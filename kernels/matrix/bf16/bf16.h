#pragma once

#include <cstdint>

#include "kernels/matrix/pack/pack.h"
#include "kernels/matrix/product/product.h"

namespace quadgate::kernels {

// A pair (simd/bf16_pair.h) travels as the float whose bits it is.
//
// VDPBF16PS wants pairs on both sides of a product. On the left, neighbours of a row make a pair;
// on the right, two rows do:
//
//     left   row m   | a[m][0] a[m][1] | a[m][2] a[m][3] | ...
//     right  pair 0  | b[0][0] b[1][0] | b[0][1] b[1][1] | ...
//            pair 1  | b[2][0] b[3][0] | b[2][1] b[3][1] | ...
//
// A float becomes the nearest bf16, of two equally near ones the even one. A denormal number
// becomes 0. A missing number is 0.

/// The product of product.h over pairs. `depth`, `run` and `step` count pairs. A pair adds its
/// upper product to a float, then its lower one, by fused multiply-adds. Denormal inputs and
/// results count as 0. This is what VDPBF16PS does. Isa::avx512_bf16 has that instruction; the
/// others give the same bits more slowly.
ProductKernel bf16_product_kernel(Isa isa) noexcept;

/// The same product, summed as AMX sums it: 16 pairs at a time, the last ones filled up with zeros.
/// Two sums of 16 fused multiply-adds from 0, of the pairs' lower products and of their upper ones,
/// are added to each other and then to the float. Isa::amx_bf16 has that instruction, TDPBF16PS;
/// the others emulate it.
ProductKernel bf16_tile_product_kernel(Isa isa) noexcept;

/// As gather_kernel of one panel, but two rows make one of pairs: to [(rows + 1) / 2, width], width
/// in whole vectors of 16.
GatherKernel bf16_gather_kernel(Isa isa) noexcept;

/// As transpose_kernel, but two columns of `from` make a row of pairs: to [(depth + 1) / 2, 16].
TransposeKernel bf16_transpose_kernel(Isa isa) noexcept;

/// Rounds rows of floats to pairs of neighbours.
struct Bf16Rows {
  std::int64_t rows;
  std::int64_t columns;
  const float* from;  ///< [rows, columns], rows from_stride apart
  std::int64_t from_stride;
  float* to;  ///< [rows, (columns + 1) / 2] pairs, rows to_stride apart; may be `from`
  std::int64_t to_stride;
};
using Bf16RowsKernel = void (*)(const Bf16Rows& rows) noexcept;
Bf16RowsKernel bf16_rows_kernel(Isa isa) noexcept;

/// Makes of two rows of neighbours' pairs one row of pairs, as the right side wants them: number i
/// of rows k and k + 1 becomes a pair of to [(rows + 1) / 2, columns].
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
