#include "kernels/simd/avx2.h"

#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

void lstm_forward_avx2(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<FloatGates<Avx2Vec>, 3>>::run(step);
}

void lstm_forward_pair_avx2(const CellForward& one, const CellForward& other) noexcept {
  LstmForwardStep<FloatGates<Avx2Vec>, 3>::run_pair(one, other);
}

void lstm_backward_avx2(const CellBackward& step) noexcept {
  lstm_backward_simd<FloatGates<Avx2Vec>>(step);
}

void lstm_forward_avx2_16(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<PairGates<Avx2Vec16>, 1>>::run(step);
}

void lstm_backward_avx2_16(const CellBackward& step) noexcept {
  lstm_backward_simd<PairGates<Avx2Vec16>>(step);
}

}  // namespace quadgate::kernels
