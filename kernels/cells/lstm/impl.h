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

/// The gates of one row of a panel, and its states.
template <typename Vec>
struct LstmCell {
  Vec i, f, g, o, c, h;

  LstmCell(Vec a_i, Vec a_f, Vec a_g, Vec a_o, Vec c_prev) noexcept
      : i(sigmoid(a_i)),
        f(sigmoid(a_f)),
        g(tanh(a_g)),
        o(sigmoid(a_o)),
        c(fma(f, c_prev, i * g)),
        h(o * tanh(c)) {}
};

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
    for (std::int64_t row = 0; row < kRows; ++row) finish_row(step, row, tile.sums[row]);
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
    finish_row(one, 0, first.sums[0]);
    finish_row(other, 0, second.sums[0]);
  }

 private:
  using Vec = typename Gates::Vec;

  static void finish_row(const CellForward& step, std::int64_t row, const Vec (&sums)[4]) noexcept {
    constexpr std::int64_t kSlot = Gates::kSlot;
    const auto mask = Vec::first(step.units);
    const Vec c_prev = step.c_prev == nullptr ? Vec::broadcast(0.0F)
                                              : Vec::load(step.c_prev + row * step.c_stride, mask);
    const LstmCell<Vec> cell(sums[0], sums[1], sums[2], sums[3], c_prev);
    float* const to = step.gates + row * 4 * kSlot;
    Gates::store(cell.i, to);
    Gates::store(cell.f, to + kSlot);
    Gates::store(cell.g, to + 2 * kSlot);
    Gates::store(cell.o, to + 3 * kSlot);
    cell.c.store(step.c + row * step.c_stride, mask);
    Gates::store_h(cell.h, mask, step, row, 0);
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
    const Vec gates[4] = {Gates::load(at), Gates::load(at + kSlot), Gates::load(at + 2 * kSlot),
                          Gates::load(at + 3 * kSlot)};
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
