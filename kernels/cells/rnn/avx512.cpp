#include "kernels/simd/avx512.h"

#include "kernels/cells/rnn/impl.h"

namespace quadgate::kernels {

void rnn_tanh_forward_avx512(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<FloatGates<Avx512Vec>, RnnActivation::tanh, 6>>::run(step);
}
void rnn_tanh_backward_avx512(const CellBackward& step) noexcept {
  rnn_backward_simd<FloatGates<Avx512Vec>, RnnActivation::tanh>(step);
}

void rnn_relu_forward_avx512(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<FloatGates<Avx512Vec>, RnnActivation::relu, 6>>::run(step);
}
void rnn_relu_backward_avx512(const CellBackward& step) noexcept {
  rnn_backward_simd<FloatGates<Avx512Vec>, RnnActivation::relu>(step);
}

void rnn_tanh_forward_avx512_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<Avx512Vec>, RnnActivation::tanh, 6>>::run(step);
}
void rnn_tanh_backward_avx512_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<Avx512Vec>, RnnActivation::tanh>(step);
}

void rnn_relu_forward_avx512_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<Avx512Vec>, RnnActivation::relu, 6>>::run(step);
}
void rnn_relu_backward_avx512_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<Avx512Vec>, RnnActivation::relu>(step);
}

}  // namespace quadgate::kernels
