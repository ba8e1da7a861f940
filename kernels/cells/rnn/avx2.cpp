#include "kernels/simd/avx2.h"

#include "kernels/cells/rnn/impl.h"

namespace quadgate::kernels {

void rnn_tanh_forward_avx2(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<FloatGates<Avx2Vec>, RnnActivation::tanh, 3>>::run(step);
}
void rnn_tanh_backward_avx2(const CellBackward& step) noexcept {
  rnn_backward_simd<FloatGates<Avx2Vec>, RnnActivation::tanh>(step);
}

void rnn_relu_forward_avx2(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<FloatGates<Avx2Vec>, RnnActivation::relu, 3>>::run(step);
}
void rnn_relu_backward_avx2(const CellBackward& step) noexcept {
  rnn_backward_simd<FloatGates<Avx2Vec>, RnnActivation::relu>(step);
}

void rnn_tanh_forward_avx2_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<Avx2Vec16>, RnnActivation::tanh, 1>>::run(step);
}
void rnn_tanh_backward_avx2_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<Avx2Vec16>, RnnActivation::tanh>(step);
}

void rnn_relu_forward_avx2_16(const CellForward& step) noexcept {
  CellTiles<RnnForwardStep<PairGates<Avx2Vec16>, RnnActivation::relu, 1>>::run(step);
}
void rnn_relu_backward_avx2_16(const CellBackward& step) noexcept {
  rnn_backward_simd<PairGates<Avx2Vec16>, RnnActivation::relu>(step);
}

}  // namespace quadgate::kernels
