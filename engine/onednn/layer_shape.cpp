#include "engine/onednn/layer_shape.h"

#include <array>

namespace quadgate::onednn {

std::span<const std::int64_t> gate_order(Cell cell) noexcept {
  static constexpr std::array<std::int64_t, 4> kLstm{0, 1, 2, 3};
  static constexpr std::array<std::int64_t, 3> kGru{1, 0, 2};  // z r n of r z n
  static constexpr std::array<std::int64_t, 1> kRnn{0};
  switch (cell) {
    case Cell::lstm:
      return kLstm;
    case Cell::gru:
      return kGru;
    case Cell::rnn_tanh:
    case Cell::rnn_relu:
      break;
  }
  return kRnn;
}

std::int64_t bias_rows(Cell cell) noexcept {
  return cell == Cell::gru ? 4 : static_cast<std::int64_t>(gate_order(cell).size());
}

}  // namespace quadgate::onednn
