#include "kernels/simd/avx512.h"

#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

void lstm_forward_avx512(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<FloatGates<Avx512Vec>, 6>>::run(step);
}

void lstm_forward_pair_avx512(const CellForward& one, const CellForward& other) noexcept {
  LstmForwardStep<FloatGates<Avx512Vec>, 6>::run_pair(one, other);
}

void lstm_backward_avx512(const CellBackward& step) noexcept {
  lstm_backward_simd<FloatGates<Avx512Vec>>(step);
}

void lstm_forward_avx512_16(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<PairGates<Avx512Vec>, 6>>::run(step);
}

void lstm_backward_avx512_16(const CellBackward& step) noexcept {
  lstm_backward_simd<PairGates<Avx512Vec>>(step);
}

}  // namespace quadgate::kernels
