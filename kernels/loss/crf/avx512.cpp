#include "kernels/simd/avx512.h"

#include "kernels/loss/crf/impl.h"

namespace quadgate::kernels {

CrfKernels crf_kernels_avx512() noexcept { return crf_kernels_simd<Avx512Vec>(); }

}  // namespace quadgate::kernels
