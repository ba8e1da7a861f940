#include "engine/native_cell.h"

#include "kernels/gru/gru.h"
#include "kernels/isa.h"
#include "kernels/lstm/lstm.h"
#include "kernels/product/product.h"
#include "kernels/rnn/rnn.h"

namespace quadgate {
namespace {

NativeCell lstm(kernels::Isa isa, std::int64_t lanes) {
  return {.lanes = lanes,
          .units = lanes,
          .ih = {0, {0, 1, 2, 3}},
          .hh = {0, {0, 1, 2, 3}},
          .writes_dh = false,
          .forward = kernels::lstm_forward_kernel(isa),
          .backward = kernels::lstm_backward_kernel(isa)};
}

NativeCell gru(kernels::Isa isa, std::int64_t lanes) {
  return {.lanes = lanes,
          .units = lanes,
          .ih = {0, {2, 0, 1}},
          .hh = {1, {0, 1, 2}},
          .writes_dh = true,
          .forward = kernels::gru_forward_kernel(isa),
          .backward = kernels::gru_backward_kernel(isa)};
}

NativeCell rnn(kernels::RnnActivation activation, kernels::Isa isa, std::int64_t lanes) {
  return {.lanes = lanes,
          .units = kernels::kPanelVectors * lanes,
          .ih = {0, {0}},
          .hh = {0, {0}},
          .writes_dh = false,
          .forward = kernels::rnn_forward_kernel(activation, isa),
          .backward = kernels::rnn_backward_kernel(activation, isa)};
}

}  // namespace

NativeCell native_cell(Cell cell) {
  const auto isa = kernels::active_isa();
  const std::int64_t lanes = kernels::vector_lanes(isa);
  switch (cell) {
    case Cell::gru:
      return gru(isa, lanes);
    case Cell::rnn_tanh:
      return rnn(kernels::RnnActivation::tanh, isa, lanes);
    case Cell::rnn_relu:
      return rnn(kernels::RnnActivation::relu, isa, lanes);
    case Cell::lstm:
      break;
  }
  return lstm(isa, lanes);
}

}  // namespace quadgate
