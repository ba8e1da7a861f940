#include "kernels/simd/avx512.h"

#include "kernels/loss/cross_entropy/impl.h"

namespace quadgate::kernels {

void cross_entropy_avx512(const CrossEntropy& batch) noexcept {
  cross_entropy_simd<Avx512Vec>(batch);
}

}  // namespace quadgate::kernels
