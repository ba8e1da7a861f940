#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// The settings of one step of RMSprop.
struct RmspropArgs {
  float grad_scale;       ///< multiplies the gradient first; carries clipping
  float weight_decay;     ///< L2 penalty
  float alpha;            ///< decay of the averages
  float one_minus_alpha;  ///< 1 - alpha
  float eps;              ///< added to the denominator
  float momentum;         ///< decay of the momentum buffer; not read without one
  float lr;               ///< learning rate
};

/// The arrays of one step of RMSprop, each [n] and of any alignment. They do not overlap.
struct RmspropArrays {
  const float* grad;
  float* square_avg;
  float* grad_avg;         ///< nullptr unless centered
  float* momentum_buffer;  ///< nullptr without momentum
  float* param;
};

/// One fused step of torch.optim.RMSprop over `n` floats, in place; n may be 0:
///
///     g = grad * grad_scale + weight_decay * p
///     s = alpha * s + one_minus_alpha * g * g
///     a = a + (g - a) * one_minus_alpha
///     d = g / (sqrt(centered ? max(s - a * a, 0) : s) + eps)
///     b = momentum * b + d
///     p = p - lr * b
///
/// with s = `square_avg`, a = `grad_avg`, b = `momentum_buffer`, all zero before the first step,
/// and p = `param`. Without momentum b = d. PyTorch takes no maximum with 0: it has NaN where
/// rounding makes the variance negative. All versions round at the same places (scalar.cpp shows
/// where). So an element gets the same bits from every ISA and at every position in the array.
/// Error: each average is within 4 epsilon of the sum of the magnitudes of its terms. b and p are
/// so for the rounded d.
using RmspropKernel = void (*)(std::int64_t n, const RmspropArgs& args,
                               const RmspropArrays& arrays) noexcept;

/// The version for `isa`, which the machine must support: rmsprop_kernel(active_isa()).
RmspropKernel rmsprop_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
