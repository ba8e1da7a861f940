#include "kernels/simd/avx2.h"

#include "kernels/matrix/pack/impl.h"

namespace quadgate::kernels {

void gather_avx2(const Gather& gather) noexcept { gather_simd<Avx2Vec>(gather); }

void transpose_avx2(const Transpose& transpose) noexcept { transpose_simd<Avx2Vec>(transpose); }

}  // namespace quadgate::kernels
