#pragma once

#include <cstdint>

#include "kernels/optimizers/rmsprop/rmsprop.h"

namespace quadgate::kernels {

void rmsprop_scalar(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept;
void rmsprop_avx2(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept;
void rmsprop_avx512(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept;

/// The step of rmsprop_scalar on a vector's worth of elements.
template <typename Vec>
class RmspropStep {
 public:
  RmspropStep(const RmspropArgs& args, const RmspropArrays& arrays) noexcept
      : arrays_(arrays),
        grad_scale_(Vec::broadcast(args.grad_scale)),
        weight_decay_(Vec::broadcast(args.weight_decay)),
        alpha_(Vec::broadcast(args.alpha)),
        one_minus_alpha_(Vec::broadcast(args.one_minus_alpha)),
        eps_(Vec::broadcast(args.eps)),
        momentum_(Vec::broadcast(args.momentum)),
        lr_(Vec::broadcast(args.lr)) {}

  /// Updates the elements from `i`: all lanes, or those of one mask.
  template <typename... Mask>
  void operator()(std::int64_t i, Mask... mask) const noexcept {
    const Vec p = Vec::load(arrays_.param + i, mask...);
    const Vec g = fma(weight_decay_, p, Vec::load(arrays_.grad + i, mask...) * grad_scale_);
    const Vec s = fma(one_minus_alpha_ * g, g, alpha_ * Vec::load(arrays_.square_avg + i, mask...));
    s.store(arrays_.square_avg + i, mask...);
    Vec variance = s;
    if (arrays_.grad_avg != nullptr) {
      Vec a = Vec::load(arrays_.grad_avg + i, mask...);
      a = fma(one_minus_alpha_, g - a, a);
      a.store(arrays_.grad_avg + i, mask...);
      variance = max(fnma(a, a, s), Vec::broadcast(0.0F));
    }
    Vec direction = g / (sqrt(variance) + eps_);
    if (arrays_.momentum_buffer != nullptr) {
      direction = fma(momentum_, Vec::load(arrays_.momentum_buffer + i, mask...), direction);
      direction.store(arrays_.momentum_buffer + i, mask...);
    }
    fnma(lr_, direction, p).store(arrays_.param + i, mask...);
  }

 private:
  RmspropArrays arrays_;
  Vec grad_scale_;
  Vec weight_decay_;
  Vec alpha_;
  Vec one_minus_alpha_;
  Vec eps_;
  Vec momentum_;
  Vec lr_;
};

/// rmsprop_scalar with vectors. The tail is a masked vector, so it rounds like the body.
template <typename Vec>
void rmsprop_simd(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept {
  const RmspropStep<Vec> step(args, arrays);
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) step(i);
  if (i < n) step(i, Vec::first(n - i));
}

}  // namespace quadgate::kernels
