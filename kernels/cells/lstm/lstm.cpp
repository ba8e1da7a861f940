#include "kernels/cells/lstm/lstm.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

CellForwardKernel lstm_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return lstm_forward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return pairs ? lstm_forward_avx512_16 : lstm_forward_avx512;
    case Isa::avx2:
      return pairs ? lstm_forward_avx2_16 : lstm_forward_avx2;
    case Isa::scalar:
      break;
  }
  return pairs ? lstm_forward_scalar_16 : lstm_forward_scalar;
}

LstmForwardPairKernel lstm_forward_pair_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return lstm_forward_pair_avx512;
    case Isa::avx2:
      return lstm_forward_pair_avx2;
    case Isa::scalar:
      break;
  }
  return lstm_forward_pair_scalar;
}

CellBackwardKernel lstm_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return lstm_backward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      return pairs ? lstm_backward_avx512_16 : lstm_backward_avx512;
    case Isa::avx2:
      return pairs ? lstm_backward_avx2_16 : lstm_backward_avx2;
    case Isa::scalar:
      break;
  }
  return pairs ? lstm_backward_scalar_16 : lstm_backward_scalar;
}

}  // namespace quadgate::kernels
