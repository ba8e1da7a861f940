#pragma once

#include <cstdint>

#include "kernels/optimizers/sgd/sgd.h"

namespace quadgate::kernels {

void sgd_scalar(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
                float* param) noexcept;
void sgd_avx2(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
              float* param) noexcept;
void sgd_avx512(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
                float* param) noexcept;

/// The step of sgd_scalar on a vector's worth of elements.
template <typename Vec>
class SgdStep {
 public:
  explicit SgdStep(const SgdArgs& args) noexcept
      : grad_scale_(Vec::broadcast(args.grad_scale)),
        weight_decay_(Vec::broadcast(args.weight_decay)),
        momentum_(Vec::broadcast(args.momentum)),
        lr_(Vec::broadcast(args.lr)),
        nesterov_(args.nesterov) {}

  /// Updates the elements at the pointers: all lanes, or those of one mask.
  template <typename... Mask>
  void operator()(const float* grad, float* momentum_buffer, float* param,
                  Mask... mask) const noexcept {
    const Vec p = Vec::load(param, mask...);
    const Vec g = fma(weight_decay_, p, Vec::load(grad, mask...) * grad_scale_);
    Vec direction = g;
    if (momentum_buffer != nullptr) {
      const Vec b = fma(momentum_, Vec::load(momentum_buffer, mask...), g);
      direction = nesterov_ ? fma(momentum_, b, g) : b;
      b.store(momentum_buffer, mask...);
    }
    fnma(lr_, direction, p).store(param, mask...);
  }

 private:
  Vec grad_scale_;
  Vec weight_decay_;
  Vec momentum_;
  Vec lr_;
  bool nesterov_;
};

/// sgd_scalar with vectors. The tail is a masked vector, so it rounds like the body.
template <typename Vec>
void sgd_simd(std::int64_t n, const SgdArgs& args, const float* grad, float* momentum_buffer,
              float* param) noexcept {
  const SgdStep<Vec> step(args);
  const auto buffer_at = [=](std::int64_t i) {
    return momentum_buffer == nullptr ? nullptr : momentum_buffer + i;
  };
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) step(grad + i, buffer_at(i), param + i);
  if (i < n) step(grad + i, buffer_at(i), param + i, Vec::first(n - i));
}

}  // namespace quadgate::kernels
