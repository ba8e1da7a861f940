#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// The settings of one step of SGD.
struct SgdArgs {
  float grad_scale = 1;    ///< multiplies the gradient first; carries clipping
  float weight_decay = 0;  ///< L2 penalty
  float momentum = 0;      ///< decay of the momentum buffer; not read without one
  float lr = 0;            ///< learning rate
  bool nesterov = false;   ///< step along g + momentum * b; needs a momentum buffer
};

/// One fused step of torch.optim.SGD (dampening 0) over `n` floats, in place:
///
///     g = grad * grad_scale + weight_decay * p
///     b = momentum * b + g
///     p = p - lr * (nesterov ? g + momentum * b : b)
///
/// with b = `momentum_buffer`, zero before the first step, and p = `param`, all [n] and of any
/// alignment. They do not overlap. n may be 0. Without momentum `momentum_buffer` is nullptr and
/// b = g. All versions round at the same places (scalar.cpp shows where). So an element gets the
/// same bits from every ISA and at every position in the array. Error: each result is within 4
/// epsilon of the sum of the magnitudes of its terms.
using SgdKernel = void (*)(std::int64_t n, const SgdArgs& args, const float* grad,
                           float* momentum_buffer, float* param) noexcept;

/// The version for `isa`, which the machine must support: sgd_kernel(active_isa()).
SgdKernel sgd_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
