#include "kernels/simd/scalar.h"

#include "kernels/loss/cross_entropy/impl.h"

namespace quadgate::kernels {

// The specification: the formulas of impl.h on one float at a time.
void cross_entropy_scalar(const CrossEntropy& batch) noexcept {
  cross_entropy_simd<ScalarVec>(batch);
}

}  // namespace quadgate::kernels
