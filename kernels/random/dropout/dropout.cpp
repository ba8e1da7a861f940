#include "kernels/random/dropout/dropout.h"

#include "kernels/base/isa.h"
#include "kernels/random/dropout/impl.h"

namespace quadgate::kernels {

DropoutKernel dropout_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return dropout_avx512;
    case Isa::avx2:
      return dropout_avx2;
    case Isa::scalar:
      break;
  }
  return dropout_scalar;
}

MultiplyKernel multiply_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return multiply_avx512;
    case Isa::avx2:
      return multiply_avx2;
    case Isa::scalar:
      break;
  }
  return multiply_scalar;
}

}  // namespace quadgate::kernels
