#pragma once

#include <cstdint>

#include "kernels/gru/gru.h"
#include "kernels/simd/cell_tiles.h"
#include "kernels/simd/math.h"

namespace quadgate::kernels {

void gru_forward_scalar(const CellForward& step) noexcept;
void gru_forward_scalar_16(const CellForward& step) noexcept;
void gru_forward_avx2(const CellForward& step) noexcept;
void gru_forward_avx2_16(const CellForward& step) noexcept;
void gru_forward_avx512(const CellForward& step) noexcept;

void gru_backward_scalar(const CellBackward& step) noexcept;
void gru_backward_scalar_16(const CellBackward& step) noexcept;
void gru_backward_avx2(const CellBackward& step) noexcept;
void gru_backward_avx2_16(const CellBackward& step) noexcept;
void gru_backward_avx512(const CellBackward& step) noexcept;

namespace {

/// The gates of one row of a panel, and its state.
template <typename Vec>
struct GruCell {
  Vec r, z, n, h;

  GruCell(Vec a_n, Vec a_r, Vec a_z, Vec hidden_n, Vec h_prev) noexcept
      : r(sigmoid(a_r)),
        z(sigmoid(a_z)),
        n(tanh(fma(r, hidden_n, a_n))),
        h(fma(z, h_prev - n, n)) {}
};

/// The derivatives of one row: of the pre-activations, of n's hidden part, and of h_prev.
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
template <typename Vec, std::int64_t kTileRows>
class GruForwardStep {
 public:
  static constexpr std::int64_t kMostRows = kTileRows;
  static constexpr std::int64_t kWidth = 4 * Vec::kLanes;

  template <std::int64_t kRows>
  [[gnu::noinline]] static void run_tile(const CellForward& step) noexcept {
    constexpr std::int64_t kLanes = Vec::kLanes;
    Tile<Vec, kRows, 3> tile;
    tile.load(step.gates + kLanes, kWidth, Vec::first(kLanes));
    if (step.h_prev != nullptr) {
      tile.add_product(step.h_prev, step.h_prev_stride, 1, step.depth, step.depth, 0,
                       step.weight_hh);
    }
    const auto mask = Vec::first(step.units);
    for (std::int64_t row = 0; row < kRows; ++row) {
      float* const gates = step.gates + row * kWidth;
      const Vec h_prev =
          step.h_prev == nullptr
              ? Vec::broadcast(0.0F)
              : Vec::load(step.h_prev + row * step.h_prev_stride + step.first_unit, mask);
      const Vec hidden_n = tile.sums[row][2];
      const GruCell<Vec> cell(Vec::load(gates), tile.sums[row][0], tile.sums[row][1], hidden_n,
                              h_prev);
      cell.n.store(gates);
      cell.r.store(gates + kLanes);
      cell.z.store(gates + 2 * kLanes);
      hidden_n.store(gates + 3 * kLanes);
      cell.h.store(step.h + row * step.h_stride, mask);
    }
  }
};

/// gru_backward_scalar with vectors.
template <typename Vec>
void gru_backward_simd(const CellBackward& step) noexcept {
  constexpr std::int64_t kLanes = Vec::kLanes;
  const auto mask = Vec::first(step.units);
  for (std::int64_t row = 0; row < step.rows; ++row) {
    float* const at = step.gates + row * 4 * kLanes;
    float* const dh_at = step.dh + row * step.d_stride;
    const Vec gates[4] = {Vec::load(at), Vec::load(at + kLanes), Vec::load(at + 2 * kLanes),
                          Vec::load(at + 3 * kLanes)};
    const Vec h_prev = step.h_prev == nullptr
                           ? Vec::broadcast(0.0F)
                           : Vec::load(step.h_prev + row * step.h_prev_stride, mask);
    Vec dh = Vec::load(dh_at, mask);
    if (step.dy != nullptr) dh = dh + Vec::load(step.dy + row * step.dy_stride, mask);
    const GruCellGradient<Vec> d(gates, h_prev, dh);
    d.n.store(at);
    d.r.store(at + kLanes);
    d.z.store(at + 2 * kLanes);
    d.hidden_n.store(at + 3 * kLanes);
    d.h_prev.store(dh_at, mask);
  }
}

}  // namespace
}  // namespace quadgate::kernels
