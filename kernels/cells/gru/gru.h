#pragma once

#include "kernels/cells/cell.h"

namespace quadgate::kernels {

enum class Isa : std::uint8_t;
enum class Arithmetic : std::uint8_t;

/// A step of the GRU cell. Of the four slots the input fills 0 to 2 (n r z) and h_prev W_hh^T fills
/// 1 to 3 (r z n), so that the two parts of n stay apart. With a_0 = inputs_0 and, for the
/// others, a = inputs + h_prev W_hh^T (each element summed term after term by fused multiply-adds):
///
///     r, z = sigmoid(a_1), sigmoid(a_2);  n = tanh(a_0 + r a_3);  h = (1 - z) n + z h_prev
///
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.GRU.html), with the sigmoid and tanh of
/// simd/math.h; the gates are left as n r z a_3. The same bits from every ISA.
CellForwardKernel gru_forward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

/// Its derivatives; the gates are left as those of a_0 a_1 a_2 a_3. `dh` is left as z d(h), the
/// part of d(h_prev) that does not go through W_hh. The same bits from every ISA.
CellBackwardKernel gru_backward_kernel(Isa isa, Arithmetic arithmetic) noexcept;

}  // namespace quadgate::kernels
