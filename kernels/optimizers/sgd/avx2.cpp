#include "kernels/simd/avx2.h"

#include "kernels/optimizers/sgd/impl.h"

namespace quadgate::kernels {

void sgd_avx2(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
              float* param) noexcept {
  sgd_simd<Avx2Vec>(n, args, grad, momentum_buffer, param);
}

}  // namespace quadgate::kernels
