#include "engine/native/layer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/base/ceil_div.h"
#include "kernels/matrix/bf16/bf16.h"

namespace quadgate::native {
namespace {

/// Rows between the panels of a gate array: more than its own, so that the panels of a row do not
/// all compete for the same lines of a cache.
std::int64_t spread(std::int64_t rows) { return (rows + 15) / 16 * 16 + 7; }

/// Steps whose gates together stay in a core's second-level cache between the input product and the
/// recurrence, where a core takes `rows` sequences.
std::int64_t steps_in_cache(std::int64_t rows, std::int64_t gates) {
  constexpr std::int64_t kFloats = 64 * 1024;
  return std::max<std::int64_t>(1, kFloats / (rows * gates));
}

}  // namespace

Layer::Layer(const CellKernels& cell, const RecurrentConfig& config, const LayerPlan& plan,
             const Parameters& parameters, GradientBuffer& gradient)
    : cell_(cell),
      layer_(plan.layer),
      reverse_(plan.reverse),
      bf16_(plan.precision == Precision::bf16),
      has_bias_(config.bias),
      front_(plan.front),
      hidden_size_(config.hidden_size),
      h_size_(config.h_size()),
      panels_(ceil_div(config.hidden_size, cell.units)),
      weight_dropout_(config.weight_dropout, plan.isa),
      dropped_hh_(weight_dropout_.is_on()
                      ? floats(num_gates(config.cell) * config.hidden_size, config.h_size())
                      : 0),
      bias_(floats(panels_, cell.width())),
      panel_stride_(spread(plan.capacity) * cell.width() / (bf16_ ? 2 : 1)),
      gates_(floats(panels_, panel_stride_)),
      steps_at_once_(steps_in_cache(ceil_div(plan.batch_size, plan.cores), panels_ * cell.width())),
      inputs_stride_(spread(steps_at_once_ * plan.batch_size) * cell.width()),
      inputs_(bf16_ ? floats(panels_, inputs_stride_) : 0),
      c_(cell.has_cell_state ? floats(plan.front + plan.capacity, config.hidden_size) : 0),
      dh_(floats(plan.batch_size, config.h_size())),
      dc_(cell.has_cell_state ? floats(plan.batch_size, config.hidden_size) : 0) {
  ih_ = this->plan(cell.ih, "ih", plan, parameters, gradient);
  hh_ = this->plan(cell.hh, "hh", plan, parameters, gradient);
  if (config.proj_size > 0) {
    projection_.emplace(cell.width(), config, plan, parameters, gradient);
  }
}

Layer::Product Layer::plan(const CellKernels::Slots& slots, const std::string& kind,
                           const LayerPlan& plan, const Parameters& parameters,
                           GradientBuffer& gradient) const {
  const auto& weight = parameters.slice(plan.prefix + "weight_" + kind + plan.suffix);
  const std::int64_t parts = kind == "ih" ? plan.input_parts : 1;
  const bool goes_back = kind == "hh" || plan.input_gradient;
  Product product{.packed = {parameters,
                             weight,
                             {.parts = parts,
                              .rows = rows_of(slots),
                              .forward_width = slots.count() * cell_.units,
                              .backward_width = goes_back ? cell_.width() : 0,
                              .kernels = cell_.matrix}},
                  .inputs = weight.shape[1],
                  .parts = bf16_ ? parts : 1,
                  .gradient = gradient.of(weight),
                  .bias = {},
                  .bias_range = {},
                  .bias_gradient = nullptr};
  if (has_bias_) {
    const auto& bias = parameters.slice(plan.prefix + "bias_" + kind + plan.suffix);
    product.bias = parameters.value(bias);
    product.bias_range = {bias.offset, bias.size};
    product.bias_gradient = gradient.of(bias);
  }
  return product;
}

/// PyTorch's row of each unit of each slot of each panel.
std::vector<std::int64_t> Layer::rows_of(const CellKernels::Slots& slots) const {
  std::vector<std::int64_t> rows;
  for (std::int64_t panel = 0; panel < panels_; ++panel) {
    for (const std::int64_t gate : slots.gates) {
      for (std::int64_t i = 0; i < cell_.units; ++i) {
        const std::int64_t unit = panel * cell_.units + i;
        rows.push_back(unit < hidden_size_ ? gate * hidden_size_ + unit : -1);
      }
    }
  }
  return rows;
}

void Layer::add_pack_tasks(std::vector<PackTask>& tasks) {
  ih_.packed.add_pack_tasks(tasks);
  if (!weight_dropout_.is_on()) hh_.packed.add_pack_tasks(tasks);
  if (has_bias_) tasks.push_back({{ih_.bias_range, hh_.bias_range}, [this] { pack_bias(); }});
  if (projection_) projection_->add_pack_tasks(tasks);
}

void Layer::pack_recurrent(std::int64_t piece, const DropoutKey* dropout) {
  if (dropout == nullptr) return hh_.packed.pack(piece, hh_.packed.values());
  hh_.packed.for_each_row(piece, [&](std::int64_t row) {
    weight_dropout_.weights(
        *dropout, layer_, reverse_ ? 1 : 0, row, 0,
        {hh_.packed.values() + row * h_size_, static_cast<std::size_t>(h_size_)},
        dropped_hh_.data() + row * h_size_);
  });
  hh_.packed.pack(piece, dropped_hh_.data());
}

void Layer::pack_bias() {
  std::ranges::fill(bias_.span(), 0.0F);
  const auto add = [this](const CellKernels::Slots& slots, std::span<const float> bias) {
    for (std::int64_t unit = 0; unit < hidden_size_; ++unit) {
      float* to = bias_.data() + unit / cell_.units * cell_.width() + unit % cell_.units +
                  slots.first * cell_.units;
      for (const std::int64_t gate : slots.gates) {
        *to += bias[static_cast<std::size_t>(gate * hidden_size_ + unit)];
        to += cell_.units;
      }
    }
  };
  add(cell_.ih, ih_.bias);
  add(cell_.hh, hh_.bias);
}

float* Layer::gates(std::int64_t panel, std::int64_t row) const noexcept {
  return gates_.data() + panel * panel_stride_ + row * cell_.width() / (bf16_ ? 2 : 1);
}

/// Where the input product of a packed row goes: into the gates themselves, or, where those are
/// words, to `place`. The work's places begin at first_place and are enough for the steps that are
/// computed at once; no one else writes there.
float* Layer::inputs(std::int64_t panel, std::int64_t row, std::int64_t place) const noexcept {
  if (!bf16_) return gates(panel, row);
  return inputs_.data() + panel * inputs_stride_ + place * cell_.width();
}

std::int64_t Layer::units_of(std::int64_t panel) const noexcept {
  return std::min(cell_.units, hidden_size_ - panel * cell_.units);
}

/// A member's gate panels. They hold the units of whole panels of d(h), or of d(m) where h is
/// projected, so that in the backward pass no one else's is needed.
Layer::Share Layer::panels_of(const WorkRange& work) const noexcept {
  const std::int64_t together = cell_.width() / cell_.units;
  const Share share = work.member.share(ceil_div(hidden_size_, cell_.width()));
  return {share.begin * together, std::min(share.end * together, panels_)};
}

/// A member's share, in whole panels, of `size` features.
Layer::Share Layer::share_of(const WorkRange& work, std::int64_t size) const noexcept {
  const Share panels = work.member.share(ceil_div(size, cell_.width()));
  return {panels.begin * cell_.width(), std::min(panels.end * cell_.width(), size)};
}

/// Which of W_hh's panels a member takes as number i of step t. Few rows wait for the panels rather
/// than compute, so every other step goes backwards: it begins with those that the caches still
/// hold from the last one.
std::int64_t Layer::serpentine(const Share& panels, std::int64_t i, std::int64_t t,
                               std::int64_t rows) noexcept {
  constexpr std::int64_t kFewRows = 16;
  return rows > kFewRows || t % 2 == 0 ? i : panels.begin + panels.end - 1 - i;
}

}  // namespace quadgate::native
