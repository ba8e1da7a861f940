#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>

#include "kernels/cells/cell.h"
#include "kernels/simd/denormals.h"
#include "kernels/simd/tile.h"

namespace quadgate::kernels {
namespace {

// The gates of a row of a panel in memory (cell.h) are floats, or pairs of bf16 numbers. Loads have
// zeros outside a mask.

template <typename V>
struct FloatGates {
  using Vec = V;
  using Term = MultiplyAdd;
  static constexpr std::int64_t kSlot = Vec::kLanes;  // floats from one vector to the next

  struct ForwardMode {};

  static Vec load(const float* from, typename Vec::Mask mask) noexcept {
    return Vec::load(from, mask);
  }
  static void store(Vec gate, float* to) noexcept { gate.store(to); }
  static void store_h(Vec h, typename Vec::Mask mask, const CellForward& step, std::int64_t row,
                      std::int64_t unit) noexcept {
    h.store(step.h + row * step.h_stride + unit, mask);
  }
};

template <typename V>
struct PairGates {
  using Vec = V;
  using Term = AddPairs;
  static constexpr std::int64_t kSlot = Vec::kLanes / 2;

  using ForwardMode = FlushDenormals;

  static Vec load(const float* from, typename Vec::Mask mask) noexcept {
    return select(mask, Vec::load_halves(from), Vec::broadcast(0.0F));
  }
  static void store(Vec gate, float* to) noexcept { store_bf16(gate, to, kSlot); }
  static void store_h(Vec h, typename Vec::Mask mask, const CellForward& step, std::int64_t row,
                      std::int64_t unit) noexcept {
    h.store(step.h + row * step.h_stride + unit, mask);
    if (step.h_pairs == nullptr) return;
    const std::int64_t units = step.units - unit;
    if (units > 0) {
      store_bf16(h, step.h_pairs + row * step.h_pairs_stride + unit / 2,
                 units < Vec::kLanes ? (units + 1) / 2 : kSlot);
    }
  }
};

}  // namespace
}  // namespace quadgate::kernels
