#include "kernels/optimizers/sgd/sgd.h"

#include "kernels/base/isa.h"
#include "kernels/optimizers/sgd/impl.h"

namespace quadgate::kernels {

SgdKernel sgd_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return sgd_avx512;
    case Isa::avx2:
      return sgd_avx2;
    case Isa::scalar:
      break;
  }
  return sgd_scalar;
}

}  // namespace quadgate::kernels
