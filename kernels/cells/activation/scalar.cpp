#include "kernels/simd/scalar.h"

#include "kernels/cells/activation/impl.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

// The specification is the formulas of simd/math.h on one float.

void sigmoid_scalar(std::int64_t n, const float* x, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = sigmoid(ScalarVec{x[i]}).lanes;
}

void tanh_scalar(std::int64_t n, const float* x, float* y) noexcept {
  for (std::int64_t i = 0; i < n; ++i) y[i] = tanh(ScalarVec{x[i]}).lanes;
}

}  // namespace quadgate::kernels
