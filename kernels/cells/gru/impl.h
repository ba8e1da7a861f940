#pragma once

#include <cstdint>

#include "kernels/cells/cell_tiles.h"
#include "kernels/cells/gru/gru.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void gru_forward_scalar(const CellForward& step) noexcept;
void gru_forward_scalar_16(const CellForward& step) noexcept;
void gru_forward_avx2(const CellForward& step) noexcept;
void gru_forward_avx2_16(const CellForward& step) noexcept;
void gru_forward_avx512(const CellForward& step) noexcept;
void gru_forward_avx512_16(const CellForward& step) noexcept;
void gru_forward_avx512_bf16(const CellForward& step) noexcept;

void gru_backward_scalar(const CellBackward& step) noexcept;
void gru_backward_scalar_16(const CellBackward& step) noexcept;
void gru_backward_avx2(const CellBackward& step) noexcept;
void gru_backward_avx2_16(const CellBackward& step) noexcept;
void gru_backward_avx512(const CellBackward& step) noexcept;
void gru_backward_avx512_16(const CellBackward& step) noexcept;
void gru_backward_avx512_bf16(const CellBackward& step) noexcept;

namespace {

/// The derivatives of one row: of the pre-activations, of n's hidden part and of h_prev.
template <typename Vec>
struct GruCellGradient {
  Vec n, r, z, hidden_n, h_prev;

  /// gates n r z and n's hidden part, h_prev, and d(h) as it comes in.
  GruCellGradient(const Vec (&gates)[4], Vec before, Vec dh) noexcept
      : n(dh * (one() - gates[2]) * fnma(gates[0], gates[0], one())),
        r(n * gates[3] * (gates[1] * (one() - gates[1]))),
        z(dh * (before - gates[0]) * (gates[2] * (one() - gates[2]))),
        hidden_n(n * gates[1]),
        h_prev(dh * gates[2]) {}

 private:
  static Vec one() noexcept { return Vec::broadcast(1.0F); }
};

/// gru_forward_scalar with vectors: a tile of it, for CellTiles.
template <typename G, std::int64_t kTileRows>
class GruForwardStep {
 public:
  using Gates = G;
  static constexpr std::int64_t kMostRows = kTileRows;

  template <std::int64_t kRows>
  [[gnu::noinline]] static void run_tile(const CellForward& step) noexcept {
    CellSums<Gates, kRows, 3> tile(step, 1);
    finish_rows(step, tile.sums);
  }

 private:
  using Vec = typename Gates::Vec;

  /// What waits for r of a row comes last, so that the rows wait together.
  template <std::size_t kRows>
  static void finish_rows(const CellForward& step, const Vec (&sums)[kRows][3]) noexcept {
    constexpr std::int64_t kSlot = Gates::kSlot;
    Vec a_n[kRows];
    for (std::size_t row = 0; row < kRows; ++row) {
      const Vec r = sigmoid(sums[row][0]);
      const Vec hidden_n = sums[row][2];
      a_n[row] = fma(r, hidden_n, Vec::load(step.inputs + at(row, Vec::kLanes)));
      Gates::store(r, step.gates + at(row, kSlot) + kSlot);
      Gates::store(hidden_n, step.gates + at(row, kSlot) + 3 * kSlot);
    }
    Vec z[kRows];
    for (std::size_t row = 0; row < kRows; ++row) {
      z[row] = sigmoid(sums[row][1]);
      Gates::store(z[row], step.gates + at(row, kSlot) + 2 * kSlot);
    }
    const auto mask = Vec::first(step.units);
    for (std::size_t row = 0; row < kRows; ++row) {
      const auto index = static_cast<std::int64_t>(row);
      const Vec h_prev = step.h_prev == nullptr
                             ? Vec::broadcast(0.0F)
                             : Vec::load(step.h_prev + index * step.h_prev_stride, mask);
      const Vec n = tanh(a_n[row]);
      Gates::store(n, step.gates + at(row, kSlot));
      Gates::store_h(fma(z[row], h_prev - n, n), mask, step, index, 0);
    }
  }

  /// Where a row of four slots begins.
  static std::int64_t at(std::size_t row, std::int64_t slot) noexcept {
    return static_cast<std::int64_t>(row) * 4 * slot;
  }
};

/// gru_backward_scalar with vectors.
template <typename Gates>
void gru_backward_simd(const CellBackward& step) noexcept {
  using Vec = typename Gates::Vec;
  constexpr std::int64_t kSlot = Gates::kSlot;
  const auto mask = Vec::first(step.units);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const at = step.gates + row * 4 * kSlot;
    float* const dh_at = step.dh + row * step.d_stride;
    const Vec gates[4] = {Gates::load(at, mask), Gates::load(at + kSlot, mask),
                          Gates::load(at + 2 * kSlot, mask), Gates::load(at + 3 * kSlot, mask)};
    const Vec h_prev = step.h_prev == nullptr
                           ? Vec::broadcast(0.0F)
                           : Vec::load(step.h_prev + row * step.h_prev_stride, mask);
    Vec dh = Vec::load(dh_at, mask);
    if (step.dy != nullptr) dh = dh + Vec::load(step.dy + row * step.dy_stride, mask);
    const GruCellGradient<Vec> d(gates, h_prev, dh);
    Gates::store(d.n, at);
    Gates::store(d.r, at + kSlot);
    Gates::store(d.z, at + 2 * kSlot);
    Gates::store(d.hidden_n, at + 3 * kSlot);
    d.h_prev.store(dh_at, mask);
  }
}

}  // namespace
}  // namespace quadgate::kernels
