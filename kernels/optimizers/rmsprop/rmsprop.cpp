#include "kernels/optimizers/rmsprop/rmsprop.h"

#include "kernels/base/isa.h"
#include "kernels/optimizers/rmsprop/impl.h"

namespace quadgate::kernels {

RmspropKernel rmsprop_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return rmsprop_avx512;
    case Isa::avx2:
      return rmsprop_avx2;
    case Isa::scalar:
      break;
  }
  return rmsprop_scalar;
}

}  // namespace quadgate::kernels
