#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// What torch.nn.RNN calls its nonlinearity.
enum class RnnActivation : std::uint8_t { tanh, relu };

/// A step of the vanilla RNN cell. Its only slot holds kPanelVectors * lanes units. Fused
/// multiply-adds sum each element of the product term after term:
///
///     h = activation(inputs + h_prev W_hh^T)
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.RNN.html), with the tanh of simd/math.h,
/// or relu(a) = max(a, 0). It leaves the gates as h. Every ISA gives the same bits.
CellForwardKernel rnn_forward_kernel(RnnActivation activation, Isa isa,
                                     Arithmetic arithmetic) noexcept;

/// Its derivatives. It leaves the gates as those of the activation's argument; for relu that is 0
/// where h is 0. It does not write `dh`. Every ISA gives the same bits.
CellBackwardKernel rnn_backward_kernel(RnnActivation activation, Isa isa,
                                       Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
