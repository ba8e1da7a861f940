#include "kernels/simd/avx512.h"

#include "kernels/cells/activation/impl.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void sigmoid_avx512(std::int64_t n, const float* x, float* y) noexcept {
  activate<Avx512Vec>(n, x, y, [](const Avx512Vec v) noexcept { return sigmoid(v); });
}

void tanh_avx512(std::int64_t n, const float* x, float* y) noexcept {
  activate<Avx512Vec>(n, x, y, [](const Avx512Vec v) noexcept { return tanh(v); });
}

}  // namespace quadgate::kernels
