#pragma once

#include <cstdint>

#include "kernels/optimizers/adam/adam.h"

namespace quadgate::kernels {

void adam_scalar(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
                 float* exp_avg_sq, float* param) noexcept;
void adam_avx2(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
               float* exp_avg_sq, float* param) noexcept;
void adam_avx512(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
                 float* exp_avg_sq, float* param) noexcept;

/// The step of adam_scalar on a vector's worth of elements.
template <typename Vec>
class AdamStep {
 public:
  explicit AdamStep(const AdamArgs& args) noexcept
      : grad_scale_(Vec::broadcast(args.grad_scale)),
        weight_decay_(Vec::broadcast(args.weight_decay)),
        param_scale_(Vec::broadcast(args.param_scale)),
        one_minus_beta1_(Vec::broadcast(args.one_minus_beta1)),
        beta2_(Vec::broadcast(args.beta2)),
        one_minus_beta2_(Vec::broadcast(args.one_minus_beta2)),
        step_size_(Vec::broadcast(args.step_size)),
        inv_sqrt_bias_correction2_(Vec::broadcast(args.inv_sqrt_bias_correction2)),
        eps_(Vec::broadcast(args.eps)) {}

  /// Updates the elements at the pointers: all lanes, or those of one mask.
  template <typename... Mask>
  void operator()(const float* grad, float* exp_avg, float* exp_avg_sq, float* param,
                  Mask... mask) const noexcept {
    Vec p = Vec::load(param, mask...) * param_scale_;
    const Vec g = fma(weight_decay_, p, Vec::load(grad, mask...) * grad_scale_);
    Vec m = Vec::load(exp_avg, mask...);
    m = fma(one_minus_beta1_, g - m, m);
    const Vec v = fma(one_minus_beta2_ * g, g, beta2_ * Vec::load(exp_avg_sq, mask...));
    p = fnma(step_size_, m / fma(sqrt(v), inv_sqrt_bias_correction2_, eps_), p);
    m.store(exp_avg, mask...);
    v.store(exp_avg_sq, mask...);
    p.store(param, mask...);
  }

 private:
  Vec grad_scale_;
  Vec weight_decay_;
  Vec param_scale_;
  Vec one_minus_beta1_;
  Vec beta2_;
  Vec one_minus_beta2_;
  Vec step_size_;
  Vec inv_sqrt_bias_correction2_;
  Vec eps_;
};

/// adam_scalar with vectors. The tail is a masked vector, so it rounds like the body.
template <typename Vec>
void adam_simd(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
               float* exp_avg_sq, float* param) noexcept {
  const AdamStep<Vec> step(args);
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) {
    step(grad + i, exp_avg + i, exp_avg_sq + i, param + i);
  }
  if (i < n) step(grad + i, exp_avg + i, exp_avg_sq + i, param + i, Vec::first(n - i));
}

}  // namespace quadgate::kernels
