#include "kernels/simd/avx2.h"

#include "kernels/cells/gru/impl.h"

namespace quadgate::kernels {

void gru_forward_avx2(const CellForward& step) noexcept {
  CellTiles<GruForwardStep<FloatGates<Avx2Vec>, 4>>::run(step);
}

void gru_backward_avx2(const CellBackward& step) noexcept {
  gru_backward_simd<FloatGates<Avx2Vec>>(step);
}

void gru_forward_avx2_16(const CellForward& step) noexcept {
  CellTiles<GruForwardStep<PairGates<Avx2Vec16>, 1>>::run(step);
}

void gru_backward_avx2_16(const CellBackward& step) noexcept {
  gru_backward_simd<PairGates<Avx2Vec16>>(step);
}

}  // namespace quadgate::kernels
