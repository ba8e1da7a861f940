#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// A step of the LSTM cell, whose four slots are i f g o. With a = inputs + h_prev W_hh^T (each
/// element summed term after term by fused multiply-adds):
///
///     i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o);  g = tanh(a_g)
///     c = f c_prev + i g;  h = o tanh(c)
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html), with the sigmoid and tanh of
/// activation/activation.h; the gates are left as i f g o. The same bits from every ISA.
CellForwardKernel lstm_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

/// One row of a step of two panels, with the same h_prev, which is not null: what
/// lstm_forward_kernel makes of each, to the bit. The sums of one panel hide the latency of the
/// other's.
using LstmForwardPairKernel = void (*)(const CellForward& one, const CellForward& other) noexcept;
/// Of the fastest arithmetic.
LstmForwardPairKernel lstm_forward_pair_kernel(Isa isa) noexcept;

/// The derivatives of a step; the gates are left as those of a_i a_f a_g a_o. `dh` is not written.
/// The same bits from every ISA.
CellBackwardKernel lstm_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
