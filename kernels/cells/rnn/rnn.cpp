#include "kernels/cells/rnn/rnn.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/rnn/impl.h"

namespace quadgate::kernels {

CellForwardKernel rnn_forward_kernel(RnnActivation activation, Isa isa,
                                     Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  const bool relu = activation == RnnActivation::relu;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return relu ? rnn_relu_forward_avx512_bf16 : rnn_tanh_forward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      if (pairs) return relu ? rnn_relu_forward_avx512_16 : rnn_tanh_forward_avx512_16;
      return relu ? rnn_relu_forward_avx512 : rnn_tanh_forward_avx512;
    case Isa::avx2:
      if (pairs) return relu ? rnn_relu_forward_avx2_16 : rnn_tanh_forward_avx2_16;
      return relu ? rnn_relu_forward_avx2 : rnn_tanh_forward_avx2;
    case Isa::scalar:
      break;
  }
  if (pairs) return relu ? rnn_relu_forward_scalar_16 : rnn_tanh_forward_scalar_16;
  return relu ? rnn_relu_forward_scalar : rnn_tanh_forward_scalar;
}

CellBackwardKernel rnn_backward_kernel(RnnActivation activation, Isa isa,
                                       Arithmetic arithmetic) noexcept {
  const bool pairs = arithmetic != Arithmetic::floats;
  const bool relu = activation == RnnActivation::relu;
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
      if (pairs) return relu ? rnn_relu_backward_avx512_bf16 : rnn_tanh_backward_avx512_bf16;
      [[fallthrough]];
    case Isa::avx512:
      if (pairs) return relu ? rnn_relu_backward_avx512_16 : rnn_tanh_backward_avx512_16;
      return relu ? rnn_relu_backward_avx512 : rnn_tanh_backward_avx512;
    case Isa::avx2:
      if (pairs) return relu ? rnn_relu_backward_avx2_16 : rnn_tanh_backward_avx2_16;
      return relu ? rnn_relu_backward_avx2 : rnn_tanh_backward_avx2;
    case Isa::scalar:
      break;
  }
  if (pairs) return relu ? rnn_relu_backward_scalar_16 : rnn_tanh_backward_scalar_16;
  return relu ? rnn_relu_backward_scalar : rnn_tanh_backward_scalar;
}

}  // namespace quadgate::kernels
