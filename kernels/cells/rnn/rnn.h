#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// What torch.nn.RNN calls its nonlinearity.
enum class RnnActivation : std::uint8_t { tanh, relu };

/// A step of the vanilla RNN cell, whose only slot holds kPanelVectors * lanes units. With each
/// element of the product summed term after term by fused multiply-adds:
///
///     h = activation(inputs + h_prev W_hh^T)
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNN.html), with the tanh of simd/math.h,
/// or relu(a) = max(a, 0); the gates are left as h. The same bits from every ISA.
CellForwardKernel rnn_forward_kernel(RnnActivation activation, Isa isa,
                                     Arithmetic arithmetic) noexcept;

/// Its derivatives; the gates are left as those of what the activation was applied to, for relu 0
/// where h is 0. `dh` is not written. The same bits from every ISA.
CellBackwardKernel rnn_backward_kernel(RnnActivation activation, Isa isa,
                                       Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
