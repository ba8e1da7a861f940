#include "kernels/cells/activation/activation.h"

#include "kernels/base/isa.h"
#include "kernels/cells/activation/impl.h"

namespace quadgate::kernels {

ActivationKernel sigmoid_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return sigmoid_avx512;
    case Isa::avx2:
      return sigmoid_avx2;
    case Isa::scalar:
      break;
  }
  return sigmoid_scalar;
}

ActivationKernel tanh_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return tanh_avx512;
    case Isa::avx2:
      return tanh_avx2;
    case Isa::scalar:
      break;
  }
  return tanh_scalar;
}

}  // namespace quadgate::kernels
