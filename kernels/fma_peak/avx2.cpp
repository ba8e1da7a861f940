#include "kernels/simd/avx2.h"

#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {

float fma_peak_avx2(std::int64_t rounds) noexcept { return fma_peak_simd<Avx2Vec>(rounds); }

}  // namespace quadgate::kernels
