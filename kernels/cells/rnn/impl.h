#pragma once

#include <cstdint>

#include "kernels/base/panels.h"
#include "kernels/cells/cell_tiles.h"
#include "kernels/cells/rnn/rnn.h"
#include "kernels/matrix/product/product.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void rnn_tanh_forward_scalar(const CellForward& step) noexcept;
void rnn_tanh_forward_scalar_16(const CellForward& step) noexcept;
void rnn_tanh_forward_avx2(const CellForward& step) noexcept;
void rnn_tanh_forward_avx2_16(const CellForward& step) noexcept;
void rnn_tanh_forward_avx512(const CellForward& step) noexcept;
void rnn_tanh_forward_avx512_16(const CellForward& step) noexcept;
void rnn_tanh_forward_avx512_bf16(const CellForward& step) noexcept;
void rnn_relu_forward_scalar(const CellForward& step) noexcept;
void rnn_relu_forward_scalar_16(const CellForward& step) noexcept;
void rnn_relu_forward_avx2(const CellForward& step) noexcept;
void rnn_relu_forward_avx2_16(const CellForward& step) noexcept;
void rnn_relu_forward_avx512(const CellForward& step) noexcept;
void rnn_relu_forward_avx512_16(const CellForward& step) noexcept;
void rnn_relu_forward_avx512_bf16(const CellForward& step) noexcept;

void rnn_tanh_backward_scalar(const CellBackward& step) noexcept;
void rnn_tanh_backward_scalar_16(const CellBackward& step) noexcept;
void rnn_tanh_backward_avx2(const CellBackward& step) noexcept;
void rnn_tanh_backward_avx2_16(const CellBackward& step) noexcept;
void rnn_tanh_backward_avx512(const CellBackward& step) noexcept;
void rnn_tanh_backward_avx512_16(const CellBackward& step) noexcept;
void rnn_tanh_backward_avx512_bf16(const CellBackward& step) noexcept;
void rnn_relu_backward_scalar(const CellBackward& step) noexcept;
void rnn_relu_backward_scalar_16(const CellBackward& step) noexcept;
void rnn_relu_backward_avx2(const CellBackward& step) noexcept;
void rnn_relu_backward_avx2_16(const CellBackward& step) noexcept;
void rnn_relu_backward_avx512(const CellBackward& step) noexcept;
void rnn_relu_backward_avx512_16(const CellBackward& step) noexcept;
void rnn_relu_backward_avx512_bf16(const CellBackward& step) noexcept;

namespace {

/// Makes h of the pre-activation, and the derivative of the pre-activation of that of h.
template <typename Vec, RnnActivation kActivation>
struct RnnCell {
  static Vec h(Vec a) noexcept {
    if constexpr (kActivation == RnnActivation::relu) {
      return max(Vec::broadcast(0.0F), a);  // in this order: NaN stays
    } else {
      return tanh(a);
    }
  }
  static Vec gradient(Vec h, Vec dh) noexcept {
    if constexpr (kActivation == RnnActivation::relu) {
      return select(positive_or_nan(h), dh, Vec::broadcast(0.0F));
    } else {
      return dh * fnma(h, h, Vec::broadcast(1.0F));
    }
  }
};

/// The units of a panel that lie in one of its vectors.
template <typename Vec>
std::int64_t units_in_vector(std::int64_t units, std::int64_t vector) noexcept {
  const std::int64_t rest = units - vector * Vec::kLanes;
  return rest < 0 ? 0 : rest < Vec::kLanes ? rest : Vec::kLanes;
}

/// The scalar step forward with vectors: a tile of it, for CellTiles.
template <typename G, RnnActivation kActivation, std::int64_t kTileRows>
class RnnForwardStep {
 public:
  using Gates = G;
  static constexpr std::int64_t kMostRows = kTileRows;

  template <std::int64_t kRows>
  [[gnu::noinline]] static void run_tile(const CellForward& step) noexcept {
    using Vec = typename Gates::Vec;
    CellSums<Gates, kRows, kPanelVectors> tile(step, 0);
    for (std::int64_t i = 0; i < kPanelVectors; ++i) {
      const auto mask = Vec::first(units_in_vector<Vec>(step.units, i));
      for (std::int64_t row = 0; row < kRows; ++row) {
        const Vec h = RnnCell<Vec, kActivation>::h(tile.sums[row][i]);
        Gates::store(h, step.gates + (row * kPanelVectors + i) * Gates::kSlot);
        Gates::store_h(h, mask, step, row, i * Vec::kLanes);
      }
    }
  }
};

/// The scalar step backward with vectors.
template <typename Gates, RnnActivation kActivation>
void rnn_backward_simd(const CellBackward& step) noexcept {
  using Vec = typename Gates::Vec;
  constexpr std::int64_t kLanes = Vec::kLanes;
  for (std::int64_t i = 0; i < kPanelVectors; ++i) {
    const auto mask = Vec::first(units_in_vector<Vec>(step.units, i));
    for (std::int64_t row = 0; row < step.rows; ++row) {
      float* const at = step.gates + (row * kPanelVectors + i) * Gates::kSlot;
      Vec dh = Vec::load(step.dh + row * step.d_stride + i * kLanes, mask);
      if (step.dy != nullptr) {
        dh = dh + Vec::load(step.dy + row * step.dy_stride + i * kLanes, mask);
      }
      Gates::store(RnnCell<Vec, kActivation>::gradient(Gates::load(at, mask), dh), at);
    }
  }
}

}  // namespace
}  // namespace quadgate::kernels
