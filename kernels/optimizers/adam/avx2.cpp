#include "kernels/simd/avx2.h"

#include "kernels/optimizers/adam/impl.h"

namespace quadgate::kernels {

void adam_avx2(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
               float* exp_avg_sq, float* param) noexcept {
  adam_simd<Avx2Vec>(n, args, grad, exp_avg, exp_avg_sq, param);
}

}  // namespace quadgate::kernels
