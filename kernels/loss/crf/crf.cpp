#include "kernels/loss/crf/crf.h"

#include "kernels/base/isa.h"
#include "kernels/loss/crf/impl.h"

namespace quadgate::kernels {

CrfKernels crf_kernels(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return crf_kernels_avx512();
    case Isa::avx2:
      return crf_kernels_avx2();
    case Isa::scalar:
      break;
  }
  return crf_kernels_scalar();
}

}  // namespace quadgate::kernels
