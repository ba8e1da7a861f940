#include <cmath>

#include "kernels/optimizers/rmsprop/impl.h"

namespace quadgate::kernels {

// The specification. Every operation rounds once, std::fma included.
void rmsprop_scalar(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept {
  const auto& [grad, square_avg, grad_avg, momentum_buffer, param] = arrays;
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = std::fma(args.weight_decay, param[i], grad[i] * args.grad_scale);
    const float s = std::fma(args.one_minus_alpha * g, g, args.alpha * square_avg[i]);
    square_avg[i] = s;
    float variance = s;
    if (grad_avg != nullptr) {
      const float a = std::fma(args.one_minus_alpha, g - grad_avg[i], grad_avg[i]);
      grad_avg[i] = a;
      variance = std::fma(-a, a, s);
      variance = variance > 0.0F ? variance : 0.0F;
    }
    float direction = g / (std::sqrt(variance) + args.eps);
    if (momentum_buffer != nullptr) {
      direction = std::fma(args.momentum, momentum_buffer[i], direction);
      momentum_buffer[i] = direction;
    }
    param[i] = std::fma(-args.lr, direction, param[i]);
  }
}

}  // namespace quadgate::kernels
