#pragma once

#include <cstdint>
#include <span>

#include "engine/model/config.h"
#include "engine/model/network_options.h"

namespace quadgate::onednn {

/// One direction of a recurrent layer over a slice: `rows` sequences of up to `seq_len` steps.
struct LayerShape {
  Cell cell = Cell::lstm;
  Precision precision = Precision::f32;  ///< of x, y, h and the weights
  bool reverse = false;
  std::int64_t seq_len = 0;
  std::int64_t rows = 0;
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;
  std::int64_t y_width = 0;  ///< floats from one row of y, in f32, and of dy to the next

  bool bf16() const noexcept { return precision == Precision::bf16; }
  /// Elements from one row of x, y and h to the next. In bf16 they begin on pairs.
  std::int64_t x_stride() const noexcept { return in_pairs(input_size); }
  std::int64_t y_stride() const noexcept { return bf16() ? in_pairs(hidden_size) : y_width; }
  std::int64_t h_stride() const noexcept { return in_pairs(hidden_size); }

 private:
  std::int64_t in_pairs(std::int64_t size) const noexcept {
    return bf16() ? (size + 1) / 2 * 2 : size;
  }
};

/// PyTorch's gates of a cell in the order of oneDNN's.
std::span<const std::int64_t> gate_order(Cell cell) noexcept;
/// Rows [H] of oneDNN's bias. A GRU has the bias of n twice, the last one that of h.
std::int64_t bias_rows(Cell cell) noexcept;

}  // namespace quadgate::onednn
