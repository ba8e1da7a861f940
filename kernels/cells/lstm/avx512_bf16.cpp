#include "kernels/simd/avx512.h"

#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

void lstm_forward_avx512_bf16(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<PairGates<Avx512Vec>, 6>>::run(step);
}

void lstm_backward_avx512_bf16(const CellBackward& step) noexcept {
  lstm_backward_simd<PairGates<Avx512Vec>>(step);
}

}  // namespace quadgate::kernels
