#include "kernels/simd/avx512.h"

#include "kernels/matrix/pack/impl.h"

namespace quadgate::kernels {

void gather_avx512(const Gather& gather) noexcept { gather_simd<Avx512Vec>(gather); }

void transpose_avx512(const Transpose& transpose) noexcept { transpose_simd<Avx512Vec>(transpose); }

}  // namespace quadgate::kernels
