#include "kernels/matrix/pack/pack.h"

#include "kernels/base/isa.h"
#include "kernels/matrix/pack/impl.h"

namespace quadgate::kernels {

GatherKernel gather_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return gather_avx512;
    case Isa::avx2:
      return gather_avx2;
    case Isa::scalar:
      break;
  }
  return gather_scalar;
}

TransposeKernel transpose_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return transpose_avx512;
    case Isa::avx2:
      return transpose_avx2;
    case Isa::scalar:
      break;
  }
  return transpose_scalar;
}

}  // namespace quadgate::kernels
