#include "engine/native/gate_array.h"

#include <algorithm>

#include "engine/base/ceil_div.h"

namespace quadgate::native {
namespace {

/// Rows from the begin of one panel to that of the next. They are never a power of two, so the
/// panels of a row do not compete for the same lines of a cache.
std::int64_t spread(std::int64_t rows) { return (rows + 15) / 16 * 16 + 7; }

/// The gates of so many steps stay in a core's second-level cache between the input product and the
/// recurrence. A core takes `rows` sequences.
std::int64_t steps_in_cache(std::int64_t rows, std::int64_t gates, const LayerPlan& plan) {
  constexpr std::int64_t kFloats = 64 * 1024;
  const std::int64_t all = ceil_div(plan.capacity, plan.batch_size);
  return std::clamp<std::int64_t>(kFloats / (rows * gates), 1, all);
}

}  // namespace

GateArray::GateArray(const GatePanels& panels, const LayerPlan& plan)
    : bf16_(plan.precision == Precision::bf16),
      keeps_all_(!plan.forward_only),
      units_(panels.cell.units),
      width_(panels.cell.width()),
      row_stride_(width_ / (bf16_ ? 2 : 1)),
      steps_at_once_(
          steps_in_cache(ceil_div(plan.batch_size, plan.cores), panels.count() * width_, plan)),
      panel_stride_(spread(keeps_all_ ? plan.capacity : steps_at_once_ * plan.batch_size) *
                    row_stride_),
      inputs_stride_(spread(steps_at_once_ * plan.batch_size) * width_),
      gates_(floats(panels.count(), panel_stride_)),
      inputs_(bf16_ ? floats(panels.count(), inputs_stride_) : 0) {}

kernels::Lhs GateArray::d_gates(const CellKernels::Slots& slots, std::int64_t row) const noexcept {
  const std::int64_t in_float = bf16_ ? 2 : 1;
  return {.data = gates(0, row) + slots.first * units_ / in_float,
          .row_stride = row_stride_,
          .step = 1,
          .run = slots.count() * units_ / in_float,
          .run_stride = panel_stride_};
}

}  // namespace quadgate::native
