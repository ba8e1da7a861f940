#include "kernels/simd/avx512.h"

#include "kernels/gru/impl.h"

namespace quadgate::kernels {

void gru_forward_avx512(const CellForward& step) noexcept {
  CellTiles<GruForwardStep<Avx512Vec, 8>>::run(step);
}

void gru_backward_avx512(const CellBackward& step) noexcept { gru_backward_simd<Avx512Vec>(step); }

}  // namespace quadgate::kernels
