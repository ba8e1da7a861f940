#pragma once

#include <cstdint>

#include "engine/base/buffer.h"
#include "engine/native/gate_panels.h"
#include "engine/native/layer_plan.h"
#include "engine/native/work_range.h"
#include "kernels/matrix/product/product.h"

namespace quadgate::native {

/// The gates of all packed rows of one direction of a layer. The backward pass makes them their
/// derivatives.
///
///     panel 0 | row 0: its slots | row 1 | ... | last row | gap |     (see GatePanels)
///     panel 1 | row 0: its slots | row 1 | ... | last row | gap |
///
/// The gap keeps the panels of a row out of each other's cache lines. In f32 the gates begin as
/// their sums, in the same place. In bf16 the gates are pairs of neighbours, half as wide. Their
/// sums lie in a second array of the same layout, which holds a few steps. Without a backward pass
/// the gates of a few steps are all there are, and those to come take their places.
class GateArray {
 public:
  GateArray(const GatePanels& panels, const LayerPlan& plan);

  bool bf16() const noexcept { return bf16_; }
  /// Whether the sums of all steps have a place.
  bool holds_all_inputs() const noexcept { return !bf16_ && keeps_all_; }
  float* gates(std::int64_t panel, std::int64_t row) noexcept {
    return gates_.data() + at(panel, row);
  }
  const float* gates(std::int64_t panel, std::int64_t row) const noexcept {
    return gates_.data() + at(panel, row);
  }
  /// The gates of a packed row in the forward pass. Unless all are kept, they lie at `place`.
  float* gates(std::int64_t panel, std::int64_t row, std::int64_t place) noexcept {
    return gates(panel, keeps_all_ ? row : place);
  }
  /// The derivatives of some slots in all panels, from a row on, as the left side of a product.
  kernels::Lhs d_gates(const CellKernels::Slots& slots, std::int64_t row) const noexcept;

  /// How many steps have their sums computed at once.
  std::int64_t steps_at_once() const noexcept { return steps_at_once_; }
  /// The sums of a packed row. In bf16 they lie at `place`, a row of the second array.
  float* inputs(std::int64_t panel, std::int64_t row, std::int64_t place) noexcept {
    if (!bf16_) return gates(panel, row, place);
    return inputs_.data() + panel * inputs_stride_ + place * width_;
  }
  /// The first of the work's places. It has enough for steps_at_once, and nobody else writes to
  /// them.
  std::int64_t first_place(const WorkRange& work) const noexcept {
    return work.first * steps_at_once_;
  }

 private:
  std::int64_t at(std::int64_t panel, std::int64_t row) const noexcept {
    return panel * panel_stride_ + row * row_stride_;
  }

  bool bf16_;
  bool keeps_all_;  // gates, not those of a few steps
  std::int64_t units_;
  std::int64_t width_;       // of a row of a panel
  std::int64_t row_stride_;  // likewise, in floats of gates_
  std::int64_t steps_at_once_;
  std::int64_t panel_stride_;   // of gates_
  std::int64_t inputs_stride_;  // between the panels of inputs_
  Buffer gates_;
  Buffer inputs_;  // in bf16
};

}  // namespace quadgate::native
