#pragma once

#include <cstdint>

#include "kernels/cells/cell_tiles.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void lstm_forward_scalar(const CellForward& step) noexcept;
void lstm_forward_avx2(const CellForward& step) noexcept;
void lstm_forward_scalar_16(const CellForward& step) noexcept;
void lstm_forward_avx2_16(const CellForward& step) noexcept;
void lstm_forward_avx512(const CellForward& step) noexcept;
void lstm_forward_avx512_16(const CellForward& step) noexcept;
void lstm_forward_avx512_bf16(const CellForward& step) noexcept;

void lstm_forward_pair_scalar(const CellForward& one, const CellForward& other) noexcept;
void lstm_forward_pair_avx2(const CellForward& one, const CellForward& other) noexcept;
void lstm_forward_pair_avx512(const CellForward& one, const CellForward& other) noexcept;

void lstm_backward_scalar(const CellBackward& step) noexcept;
void lstm_backward_avx2(const CellBackward& step) noexcept;
void lstm_backward_scalar_16(const CellBackward& step) noexcept;
void lstm_backward_avx2_16(const CellBackward& step) noexcept;
void lstm_backward_avx512(const CellBackward& step) noexcept;
void lstm_backward_avx512_16(const CellBackward& step) noexcept;
void lstm_backward_avx512_bf16(const CellBackward& step) noexcept;

namespace {

/// The derivatives of one row: of the pre-activations, and of c_prev.
template <typename Vec>
struct LstmCellGradient {
  Vec i, f, g, o, c_prev;

  /// gates, states, and d(h) and d(c) as they come in.
  LstmCellGradient(const Vec (&gates)[4], Vec before, Vec c, Vec dh, Vec dc) noexcept {
    const Vec one = Vec::broadcast(1.0F);
    const Vec tanh_c = tanh(c);
    const Vec d = fma(dh * gates[3], fnma(tanh_c, tanh_c, one), dc);
    i = d * gates[2] * (gates[0] * (one - gates[0]));
    f = d * before * (gates[1] * (one - gates[1]));
    g = d * gates[0] * fnma(gates[2], gates[2], one);
    o = dh * tanh_c * (gates[3] * (one - gates[3]));
    c_prev = d * gates[1];
  }
};

/// lstm_forward_scalar with vectors: a tile of it, for CellTiles.
template <typename G, std::int64_t kTileRows>
class LstmForwardStep {
 public:
  using Gates = G;
  static constexpr std::int64_t kMostRows = kTileRows;

  template <std::int64_t kRows>
  [[gnu::noinline]] static void run_tile(const CellForward& step) noexcept {
    CellSums<Gates, kRows, 4> tile(step, 0);
    finish_rows(step, tile.sums);
  }

  /// The first row of two steps.
  static void run_pair(const CellForward& one, const CellForward& other) noexcept {
    constexpr std::int64_t kWidth = 4 * Vec::kLanes;
    const auto all = Vec::first(Vec::kLanes);
    Tile<Vec, 1, 4> first;
    Tile<Vec, 1, 4> second;
    first.load(one.inputs, kWidth, all);
    second.load(other.inputs, kWidth, all);
    for (std::int64_t k = 0; k < one.depth; ++k) {
      first.add_product(one.left + k, 0, 1, 1, 1, 0, one.weight_hh + k * kWidth);
      second.add_product(one.left + k, 0, 1, 1, 1, 0, other.weight_hh + k * kWidth);
    }
    finish_rows(one, first.sums);
    finish_rows(other, second.sums);
  }

 private:
  using Vec = typename Gates::Vec;

  /// What waits for c of a row comes last, so that the rows wait together.
  template <std::size_t kRows>
  static void finish_rows(const CellForward& step, const Vec (&sums)[kRows][4]) noexcept {
    constexpr std::int64_t kSlot = Gates::kSlot;
    const auto mask = Vec::first(step.units);
    Vec c[kRows];
    for (std::size_t row = 0; row < kRows; ++row) {
      const Vec i = sigmoid(sums[row][0]);
      const Vec f = sigmoid(sums[row][1]);
      const Vec g = tanh(sums[row][2]);
      float* const to = gates(step, row);
      Gates::store(i, to);
      Gates::store(f, to + kSlot);
      Gates::store(g, to + 2 * kSlot);
      const std::int64_t c_row = static_cast<std::int64_t>(row) * step.c_stride;
      const Vec c_prev =
          step.c_prev == nullptr ? Vec::broadcast(0.0F) : Vec::load(step.c_prev + c_row, mask);
      c[row] = fma(f, c_prev, i * g);
      c[row].store(step.c + c_row, mask);
    }
    Vec o[kRows];
    for (std::size_t row = 0; row < kRows; ++row) {
      o[row] = sigmoid(sums[row][3]);
      Gates::store(o[row], gates(step, row) + 3 * kSlot);
    }
    for (std::size_t row = 0; row < kRows; ++row) {
      Gates::store_h(o[row] * tanh(c[row]), mask, step, static_cast<std::int64_t>(row), 0);
    }
  }

  static float* gates(const CellForward& step, std::size_t row) noexcept {
    return step.gates + static_cast<std::int64_t>(row) * 4 * Gates::kSlot;
  }
};

/// lstm_backward_scalar with vectors.
template <typename Gates>
void lstm_backward_simd(const CellBackward& step) noexcept {
  using Vec = typename Gates::Vec;
  constexpr std::int64_t kSlot = Gates::kSlot;
  const Vec zero = Vec::broadcast(0.0F);
  const auto mask = Vec::first(step.units);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const at = step.gates + row * 4 * kSlot;
    const std::int64_t c_row = row * step.c_stride;
    const std::int64_t d_row = row * step.d_stride;
    const Vec gates[4] = {Gates::load(at, mask), Gates::load(at + kSlot, mask),
                          Gates::load(at + 2 * kSlot, mask), Gates::load(at + 3 * kSlot, mask)};
    Vec dh = Vec::load(step.dh + d_row, mask);
    if (step.dy != nullptr) dh = dh + Vec::load(step.dy + row * step.dy_stride, mask);
    const Vec c_prev = step.c_prev == nullptr ? zero : Vec::load(step.c_prev + c_row, mask);
    const LstmCellGradient<Vec> d(gates, c_prev, Vec::load(step.c + c_row, mask), dh,
                                  Vec::load(step.dc + d_row, mask));
    Gates::store(d.i, at);
    Gates::store(d.f, at + kSlot);
    Gates::store(d.g, at + 2 * kSlot);
    Gates::store(d.o, at + 3 * kSlot);
    d.c_prev.store(step.dc + d_row, mask);
  }
}

}  // namespace
}  // namespace quadgate::kernels
