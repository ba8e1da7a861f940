#include "kernels/simd/avx512.h"

#include "kernels/cells/gru/impl.h"

namespace quadgate::kernels {

void gru_forward_avx512_bf16(const CellForward& step) noexcept {
  CellTiles<GruForwardStep<PairGates<Avx512Vec>, 8>>::run(step);
}

void gru_backward_avx512_bf16(const CellBackward& step) noexcept {
  gru_backward_simd<PairGates<Avx512Vec>>(step);
}

}  // namespace quadgate::kernels
