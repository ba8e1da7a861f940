#include "kernels/cells/gru/gru.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/gru/impl.h"

namespace quadgate::kernels {

CellForwardKernel gru_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return gru_forward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return pairs ? gru_forward_avx512_16 : gru_forward_avx512;
    case Isa::avx2:
      return pairs ? gru_forward_avx2_16 : gru_forward_avx2;
    case Isa::scalar:
      break;
  }
  return pairs ? gru_forward_scalar_16 : gru_forward_scalar;
}

CellBackwardKernel gru_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return gru_backward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return pairs ? gru_backward_avx512_16 : gru_backward_avx512;
    case Isa::avx2:
      return pairs ? gru_backward_avx2_16 : gru_backward_avx2;
    case Isa::scalar:
      break;
  }
  return pairs ? gru_backward_scalar_16 : gru_backward_scalar;
}

}  // namespace quadgate::kernels
