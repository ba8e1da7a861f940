#include "engine/native/cell_kernels.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/gru/gru.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/cells/rnn/rnn.h"

namespace quadgate::native {
namespace {

using kernels::Arithmetic;
using kernels::Isa;

CellKernels lstm(Isa isa, Arithmetic kind) {
  const auto matrix = kernels::matrix_kernels(isa, kind);
  return {.matrix = matrix,
          .units = matrix.lanes,
          .ih = {0, {0, 1, 2, 3}},
          .hh = {0, {0, 1, 2, 3}},
          .has_cell_state = true,
          .writes_dh = false,
          .forward = kernels::lstm_forward_kernel(isa, kind),
          .backward = kernels::lstm_backward_kernel(isa, kind),
          .forward_pair =
              kind == Arithmetic::fastest ? kernels::lstm_forward_pair_kernel(isa) : nullptr};
}

CellKernels gru(Isa isa, Arithmetic kind) {
  const auto matrix = kernels::matrix_kernels(isa, kind);
  return {.matrix = matrix,
          .units = matrix.lanes,
          .ih = {0, {2, 0, 1}},
          .hh = {1, {0, 1, 2}},
          .has_cell_state = false,
          .writes_dh = true,
          .forward = kernels::gru_forward_kernel(isa, kind),
          .backward = kernels::gru_backward_kernel(isa, kind),
          .forward_pair = nullptr};
}

CellKernels rnn(kernels::RnnActivation activation, Isa isa, Arithmetic kind) {
  const auto matrix = kernels::matrix_kernels(isa, kind);
  return {.matrix = matrix,
          .units = kernels::kPanelVectors * matrix.lanes,
          .ih = {0, {0}},
          .hh = {0, {0}},
          .has_cell_state = false,
          .writes_dh = false,
          .forward = kernels::rnn_forward_kernel(activation, isa, kind),
          .backward = kernels::rnn_backward_kernel(activation, isa, kind),
          .forward_pair = nullptr};
}

}  // namespace

Arithmetic arithmetic_of(Precision precision) noexcept {
  return precision == Precision::bf16 ? Arithmetic::consistent : Arithmetic::fastest;
}

CellKernels cell_kernels(Cell cell, Precision precision, Isa isa) {
  const auto kind = arithmetic_of(precision);
  switch (cell) {
    case Cell::gru:
      return gru(isa, kind);
    case Cell::rnn_tanh:
      return rnn(kernels::RnnActivation::tanh, isa, kind);
    case Cell::rnn_relu:
      return rnn(kernels::RnnActivation::relu, isa, kind);
    case Cell::lstm:
      break;
  }
  return lstm(isa, kind);
}

}  // namespace quadgate::native
