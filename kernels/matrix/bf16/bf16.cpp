#include "kernels/matrix/bf16/bf16.h"

#include "kernels/base/isa.h"
#include "kernels/matrix/bf16/impl.h"

namespace quadgate::kernels {

ProductKernel bf16_product_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      return bf16_product_avx512_bf16;
    case Isa::avx512:
      return bf16_product_avx512;
    case Isa::avx2:
      return bf16_product_avx2;
    case Isa::scalar:
      break;
  }
  return bf16_product_scalar;
}

ProductKernel bf16_tile_product_kernel(Isa isa) noexcept {
  return isa == Isa::amx_bf16 ? bf16_tile_product_amx_bf16 : bf16_tile_product_scalar;
}

GatherKernel bf16_gather_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      return bf16_gather_avx512_bf16;
    case Isa::avx512:
      return bf16_gather_avx512;
    case Isa::avx2:
      return bf16_gather_avx2;
    case Isa::scalar:
      break;
  }
  return bf16_gather_scalar;
}

TransposeKernel bf16_transpose_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      return bf16_transpose_avx512_bf16;
    case Isa::avx512:
      return bf16_transpose_avx512;
    case Isa::avx2:
      return bf16_transpose_avx2;
    case Isa::scalar:
      break;
  }
  return bf16_transpose_scalar;
}

Bf16RowsKernel bf16_rows_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      return bf16_rows_avx512_bf16;
    case Isa::avx512:
      return bf16_rows_avx512;
    case Isa::avx2:
      return bf16_rows_avx2;
    case Isa::scalar:
      break;
  }
  return bf16_rows_scalar;
}

Bf16InterleaveKernel bf16_interleave_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      return bf16_interleave_avx512_bf16;
    case Isa::avx512:
      return bf16_interleave_avx512;
    case Isa::avx2:
      return bf16_interleave_avx2;
    case Isa::scalar:
      break;
  }
  return bf16_interleave_scalar;
}

}  // namespace quadgate::kernels
