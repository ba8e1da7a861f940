#include "kernels/simd/avx512.h"

#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {

float fma_peak_avx512(std::int64_t rounds) noexcept { return fma_peak_simd<Avx512Vec>(rounds); }

}  // namespace quadgate::kernels
