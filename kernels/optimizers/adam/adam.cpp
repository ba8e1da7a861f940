#include "kernels/optimizers/adam/adam.h"

#include "kernels/base/isa.h"
#include "kernels/optimizers/adam/impl.h"

namespace quadgate::kernels {

AdamKernel adam_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return adam_avx512;
    case Isa::avx2:
      return adam_avx2;
    case Isa::scalar:
      break;
  }
  return adam_scalar;
}

}  // namespace quadgate::kernels
