#pragma once

#include <cstdint>

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/matrix/bf16/bf16.h"
#include "kernels/matrix/pack/pack.h"
#include "kernels/matrix/product/product.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate::kernels {

/// The kernels of this room that belong together: what one packs, the others read. Whoever plans
/// work chooses them once. So its panels and its kernels never differ in width.
struct MatrixKernels {
  Arithmetic arithmetic = Arithmetic::floats;
  std::int64_t lanes = 1;               ///< of a vector, as vector_lanes has them
  ProductKernel product = nullptr;      ///< of floats or, but for floats, of pairs of bf16
  GatherKernel gather = nullptr;        ///< makes the product's right side
  TransposeKernel transpose = nullptr;  ///< likewise
  Bf16RowsKernel round_rows = nullptr;
  Bf16InterleaveKernel interleave = nullptr;
  SumOfSquaresKernel sum_of_squares = nullptr;
};

/// Those for `isa`, which the machine must support.
MatrixKernels matrix_kernels(Isa isa, Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
