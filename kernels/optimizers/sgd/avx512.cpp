#include "kernels/simd/avx512.h"

#include "kernels/optimizers/sgd/impl.h"

namespace quadgate::kernels {

void sgd_avx512(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
                float* param) noexcept {
  sgd_simd<Avx512Vec>(n, args, grad, momentum_buffer, param);
}

}  // namespace quadgate::kernels
