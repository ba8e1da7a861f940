#include "kernels/simd/avx2.h"

#include "kernels/loss/cross_entropy/impl.h"

namespace quadgate::kernels {

void cross_entropy_avx2(const CrossEntropy& batch) noexcept { cross_entropy_simd<Avx2Vec>(batch); }

}  // namespace quadgate::kernels
