#include "kernels/simd/avx2.h"

#include "kernels/loss/crf/impl.h"

namespace quadgate::kernels {

CrfKernels crf_kernels_avx2() noexcept { return crf_kernels_simd<Avx2Vec>(); }

}  // namespace quadgate::kernels
