#include "kernels/simd/avx2.h"

#include "kernels/cells/activation/impl.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void sigmoid_avx2(std::int64_t n, const float* x, float* y) noexcept {
  activate<Avx2Vec>(n, x, y, [](const Avx2Vec v) noexcept { return sigmoid(v); });
}

void tanh_avx2(std::int64_t n, const float* x, float* y) noexcept {
  activate<Avx2Vec>(n, x, y, [](const Avx2Vec v) noexcept { return tanh(v); });
}

}  // namespace quadgate::kernels
