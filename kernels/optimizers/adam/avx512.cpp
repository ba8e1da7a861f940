#include "kernels/simd/avx512.h"

#include "kernels/optimizers/adam/impl.h"

namespace quadgate::kernels {

void adam_avx512(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
                 float* exp_avg_sq, float* param) noexcept {
  adam_simd<Avx512Vec>(n, args, grad, exp_avg, exp_avg_sq, param);
}

}  // namespace quadgate::kernels
