#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// A step of the LSTM cell. Its four slots are i f g o. Let a be inputs + h_prev W_hh^T. Fused
/// multiply-adds sum each element term after term. Then
///
///     i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o);  g = tanh(a_g)
///     c = f c_prev + i g;  h = o tanh(c)
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html), with the sigmoid and tanh of
/// activation/activation.h. It leaves the gates as i f g o. Every ISA gives the same bits.
CellForwardKernel lstm_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

/// One row of a step of two panels with the same h_prev, which is not null. It gives the bits of
/// lstm_forward_kernel. The sums of one panel hide the latency of the other's.
using LstmForwardPairKernel = void (*)(const CellForward& one, const CellForward& other) noexcept;
/// The version for floats.
LstmForwardPairKernel lstm_forward_pair_kernel(Isa isa) noexcept;

/// The derivatives of a step. It leaves the gates as those of a_i a_f a_g a_o, and does not write
/// `dh`. Every ISA gives the same bits.
CellBackwardKernel lstm_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
