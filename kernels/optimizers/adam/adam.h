#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// What one step of Adam or AdamW multiplies by, computed in double and rounded once. With the
/// step t counted from 1, bias_correction1 = 1 - beta1^t and bias_correction2 = 1 - beta2^t.
struct AdamArgs {
  float grad_scale;                 ///< multiplies the gradient first; carries clipping
  float weight_decay;               ///< Adam: weight_decay; AdamW: 0
  float param_scale;                ///< Adam: 1; AdamW: 1 - lr * weight_decay
  float one_minus_beta1;            ///< 1 - beta1
  float beta2;                      ///< beta2
  float one_minus_beta2;            ///< 1 - beta2
  float step_size;                  ///< lr / bias_correction1
  float inv_sqrt_bias_correction2;  ///< 1 / sqrt(bias_correction2)
  float eps;                        ///< added to the denominator
};

/// One fused step of torch.optim.Adam or AdamW over `n` floats, in place:
///
///     p = p * param_scale
///     g = grad * grad_scale + weight_decay * p
///     m = m + (g - m) * one_minus_beta1
///     v = beta2 * v + one_minus_beta2 * g * g
///     p = p - step_size * (m / (sqrt(v) * inv_sqrt_bias_correction2 + eps))
///
/// with m = `exp_avg`, v = `exp_avg_sq`, p = `param`, all [n] and of any alignment. They do not
/// overlap. n may be 0. All versions round at the same places (scalar.cpp shows where). So an
/// element gets the same bits from every ISA and at every position in the array. Error: each result
/// is within 4 epsilon of the sum of the magnitudes of its terms, for the arguments as they are.
using AdamKernel = void (*)(std::int64_t n, const AdamArgs& args, const float* grad, float* exp_avg,
                            float* exp_avg_sq, float* param) noexcept;

/// The version for `isa`, which the machine must support: adam_kernel(active_isa()).
AdamKernel adam_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
