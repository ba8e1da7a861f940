#include "kernels/matrix/matrix_kernels.h"

namespace quadgate::kernels {

MatrixKernels matrix_kernels(Isa isa, Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  const bool tiles = arithmetic == Arithmetic::tiles;
  return {.arithmetic = arithmetic,
          .lanes = vector_lanes(isa, arithmetic),
          .product = tiles   ? bf16_tile_product_kernel(isa)
                     : pairs ? bf16_product_kernel(isa)
                             : product_kernel(isa),
          .gather = pairs ? bf16_gather_kernel(isa) : gather_kernel(isa),
          .transpose = pairs ? bf16_transpose_kernel(isa) : transpose_kernel(isa),
          .round_rows = bf16_rows_kernel(isa),
          .interleave = bf16_interleave_kernel(isa),
          .sum_of_squares = sum_of_squares_kernel(isa)};
}

}  // namespace quadgate::kernels
