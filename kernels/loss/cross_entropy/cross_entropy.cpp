#include "kernels/loss/cross_entropy/cross_entropy.h"

#include "kernels/base/isa.h"
#include "kernels/loss/cross_entropy/impl.h"

namespace quadgate::kernels {

CrossEntropyKernel cross_entropy_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return cross_entropy_avx512;
    case Isa::avx2:
      return cross_entropy_avx2;
    case Isa::scalar:
      break;
  }
  return cross_entropy_scalar;
}

}  // namespace quadgate::kernels
