#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// A step of the GRU cell. The two parts of n have slots of their own:
///
///     slot           |  0  |  1  |  2  |  3  |
///     inputs         |  n  |  r  |  z  |     |
///     h_prev W_hh^T  |     |  r  |  z  |  n  |
///
/// Let a_0 be inputs_0, and the other a = inputs + h_prev W_hh^T. Fused multiply-adds sum each
/// element term after term. Then
///
///     r, z = sigmoid(a_1), sigmoid(a_2);  n = tanh(a_0 + r a_3);  h = (1 - z) n + z h_prev
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.GRU.html), with the sigmoid and tanh of
/// simd/math.h. It leaves the gates as n r z a_3. Every ISA gives the same bits.
CellForwardKernel gru_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

/// Its derivatives. It leaves the gates as those of a_0 a_1 a_2 a_3, and `dh` as z d(h), the part
/// of d(h_prev) that does not go through W_hh. Every ISA gives the same bits.
CellBackwardKernel gru_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
