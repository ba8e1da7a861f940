#include <cmath>

#include "kernels/optimizers/sgd/impl.h"

namespace quadgate::kernels {

// The specification. Every operation rounds once, std::fma included.
void sgd_scalar(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
                float* param) noexcept {
  for (std::int64_t i = 0; i < n; ++i) {
    const float g = std::fma(args.weight_decay, param[i], grad[i] * args.grad_scale);
    float direction = g;
    if (momentum_buffer != nullptr) {
      const float b = std::fma(args.momentum, momentum_buffer[i], g);
      direction = args.nesterov ? std::fma(args.momentum, b, g) : b;
      momentum_buffer[i] = b;
    }
    param[i] = std::fma(-args.lr, direction, param[i]);
  }
}

}  // namespace quadgate::kernels
