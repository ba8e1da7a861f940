#include "kernels/simd/scalar.h"

#include "kernels/loss/crf/impl.h"

namespace quadgate::kernels {

// The specification: the formulas of impl.h on one float at a time.
CrfKernels crf_kernels_scalar() noexcept { return crf_kernels_simd<ScalarVec>(); }

}  // namespace quadgate::kernels
