#include <cmath>

#include "kernels/optimizers/adam/impl.h"

namespace quadgate::kernels {

// The specification. Every operation rounds once, std::fma included.
void adam_scalar(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
                 float* exp_avg_sq, float* param) noexcept {
  for (std::int64_t i = 0; i < n; ++i) {
    const float p = param[i] * args.param_scale;
    const float g = std::fma(args.weight_decay, p, grad[i] * args.grad_scale);
    const float m = std::fma(args.one_minus_beta1, g - exp_avg[i], exp_avg[i]);
    const float v = std::fma(args.one_minus_beta2 * g, g, args.beta2 * exp_avg_sq[i]);
    const float denominator = std::fma(std::sqrt(v), args.inv_sqrt_bias_correction2, args.eps);
    exp_avg[i] = m;
    exp_avg_sq[i] = v;
    param[i] = std::fma(-args.step_size, m / denominator, p);
  }
}

}  // namespace quadgate::kernels
