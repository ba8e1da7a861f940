#include "engine/native/cell_kernels.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/cells/gru/gru.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/cells/rnn/rnn.h"

namespace quadgate::native {
namespace {

using kernels::Isa;

CellKernels lstm(Isa isa, kernels::Arithmetic kind) {
  const auto matrix = kernels::matrix_kernels(isa, kind);
  return {.matrix = matrix,
          .units = matrix.lanes,
          .ih = {0, {0, 1, 2, 3}},
          .hh = {0, {0, 1, 2, 3}},
          .has_cell_state = true,
          .writes_dh = false,
          .forward = kernels::lstm_forward_kernel(isa, kind),
          .backward = kernels::lstm_backward_kernel(isa, kind),
          .forward_pair = kind == kernels::Arithmetic::floats
                              ? kernels::lstm_forward_pair_kernel(isa)
                              : nullptr};
}

CellKernels gru(Isa isa, kernels::Arithmetic kind) {
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

CellKernels rnn(kernels::RnnActivation activation, Isa isa, kernels::Arithmetic kind) {
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

kernels::Arithmetic kernel_arithmetic(Precision precision, Arithmetic arithmetic,
                                      Isa isa) noexcept {
  if (precision == Precision::f32) return kernels::Arithmetic::floats;
  return arithmetic == Arithmetic::fastest ? kernels::fastest_bf16(isa)
                                           : kernels::Arithmetic::pairs;
}

CellKernels cell_kernels(Cell cell, kernels::Arithmetic arithmetic, Isa isa) {
  switch (cell) {
    case Cell::gru:
      return gru(isa, arithmetic);
    case Cell::rnn_tanh:
      return rnn(kernels::RnnActivation::tanh, isa, arithmetic);
    case Cell::rnn_relu:
      return rnn(kernels::RnnActivation::relu, isa, arithmetic);
    case Cell::lstm:
      break;
  }
  return lstm(isa, arithmetic);
}

}  // namespace quadgate::native
