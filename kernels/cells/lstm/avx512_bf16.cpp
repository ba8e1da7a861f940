#include "kernels/simd/avx512.h"

#include "kernels/cells/lstm/impl.h"

namespace quadgate::kernels {

void lstm_forward_avx512_bf16(const CellForward& step) noexcept {
  CellTiles<LstmForwardStep<WordGates<Avx512Vec>, 6>>::run(step);
}

void lstm_backward_avx512_bf16(const CellBackward& step) noexcept {
  lstm_backward_simd<WordGates<Avx512Vec>>(step);
}

}  // namespace quadgate::kernels
