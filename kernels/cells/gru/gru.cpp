#include "kernels/cells/gru/gru.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/gru/impl.h"

namespace quadgate::kernels {

CellForwardKernel gru_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool consistent = arithmetic == Arithmetic::consistent;
  switch (isa) {
    case Isa::avx512_bf16:
      if (consistent) return gru_forward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return consistent ? gru_forward_avx512_16 : gru_forward_avx512;
    case Isa::avx2:
      return consistent ? gru_forward_avx2_16 : gru_forward_avx2;
    case Isa::scalar:
      break;
  }
  return consistent ? gru_forward_scalar_16 : gru_forward_scalar;
}

CellBackwardKernel gru_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool consistent = arithmetic == Arithmetic::consistent;
  switch (isa) {
    case Isa::avx512_bf16:
      if (consistent) return gru_backward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return consistent ? gru_backward_avx512_16 : gru_backward_avx512;
    case Isa::avx2:
      return consistent ? gru_backward_avx2_16 : gru_backward_avx2;
    case Isa::scalar:
      break;
  }
  return consistent ? gru_backward_scalar_16 : gru_backward_scalar;
}

}  // namespace quadgate::kernels
