#include "kernels/simd/avx512.h"

#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {

float bf16_peak_avx512_bf16(std::int64_t rounds) noexcept {
  return fma_peak_simd<Avx512Vec, AddHalvedPairs>(rounds);
}

}  // namespace quadgate::kernels
