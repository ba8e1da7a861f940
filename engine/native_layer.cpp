#include "engine/native_layer.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/parts.h"
#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"

namespace quadgate {
namespace {

std::size_t floats(std::int64_t a, std::int64_t b) { return static_cast<std::size_t>(a * b); }

/// Rows between the panels of a gate array: more than its own, so that the panels of a row do not
/// all compete for the same lines of a cache.
std::int64_t spread(std::int64_t rows) { return (rows + 15) / 16 * 16 + 7; }

}  // namespace

NativeLayer::NativeLayer(const NativeCell& cell, const RecurrentConfig& config,
                         const NativeLayerPlan& plan, Parameters& parameters)
    : cell_(cell),
      reverse_(plan.reverse),
      bf16_(plan.precision == Precision::bf16),
      hidden_size_(config.hidden_size),
      h_size_(config.h_size()),
      panels_(parts_of(config.hidden_size, cell.units)),
      product_(bf16_ ? kernels::bf16_product_kernel(kernels::active_isa()) : cell.product),
      bias_(floats(panels_, cell.width())),
      panel_stride_(spread(plan.capacity) * cell.width()),
      gates_(floats(panels_, panel_stride_)),
      d_words_(bf16_ ? floats(panels_, panel_stride_ / 2) : 0),
      c_(floats(plan.capacity, config.hidden_size)),
      dh_(floats(plan.batch_size, config.h_size())),
      dc_(floats(plan.batch_size, config.hidden_size)) {
  ih_ = this->plan(cell.ih, "ih", plan, parameters);
  hh_ = this->plan(cell.hh, "hh", plan, parameters);
  if (config.proj_size > 0) {
    projection_.emplace(cell.width(), config, plan.suffix, parameters, plan.capacity,
                        plan.batch_size);
  }
  squares_.resize(static_cast<std::size_t>(panels_ * (1 + tile_columns(ih_) + tile_columns(hh_))));
}

NativeLayer::Product NativeLayer::plan(const NativeCell::Slots& slots, const std::string& kind,
                                       const NativeLayerPlan& plan, Parameters& parameters) const {
  const auto& weight = parameters.slice("rnn.weight_" + kind + plan.suffix);
  const auto& bias = parameters.slice("rnn.bias_" + kind + plan.suffix);
  const float* values = parameters.value(weight).data();
  const std::int64_t inputs = weight.shape[1];
  PackedMatrix::Shape shape{.use = PackedMatrix::Use::forward,
                            .columns = inputs,
                            .parts = kind == "ih" ? plan.input_parts : 1,
                            .rows = rows_of(slots),
                            .width = slots.count() * cell_.units,
                            .precision = plan.precision};
  Product product{.forward = {values, shape},
                  .backward = {},
                  .inputs = inputs,
                  .gradient = parameters.gradients().data() + weight.offset,
                  .bias = parameters.value(bias).data(),
                  .bias_gradient = parameters.gradients().data() + bias.offset};
  if (kind == "ih" && !plan.input_gradient) return product;
  shape.use = PackedMatrix::Use::backward;
  shape.width = cell_.width();
  product.backward = {values, std::move(shape)};
  return product;
}

/// PyTorch's row of each unit of each slot of each panel.
std::vector<std::int64_t> NativeLayer::rows_of(const NativeCell::Slots& slots) const {
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

std::int64_t NativeLayer::pack_tasks() const noexcept {
  return ih_.forward.panels() + ih_.backward.panels() + hh_.forward.panels() +
         hh_.backward.panels() + 1 + (projection_ ? projection_->pack_tasks() : 0);
}

void NativeLayer::pack(std::int64_t task) {
  for (auto* matrix : {&ih_.forward, &ih_.backward, &hh_.forward, &hh_.backward}) {
    if (task < matrix->panels()) return matrix->pack(task);
    task -= matrix->panels();
  }
  if (task > 0) return projection_->pack(task - 1);
  pack_bias();
}

void NativeLayer::pack_bias() {
  std::ranges::fill(bias_.span(), 0.0F);
  const auto add = [this](const NativeCell::Slots& slots, const float* bias) {
    for (std::int64_t unit = 0; unit < hidden_size_; ++unit) {
      float* to = bias_.data() + unit / cell_.units * cell_.width() + unit % cell_.units +
                  slots.first * cell_.units;
      for (const std::int64_t gate : slots.gates) {
        *to += bias[gate * hidden_size_ + unit];
        to += cell_.units;
      }
    }
  };
  add(cell_.ih, ih_.bias);
  add(cell_.hh, hh_.bias);
}

float* NativeLayer::gates(std::int64_t panel, std::int64_t row) const noexcept {
  return gates_.data() + panel * panel_stride_ + row * cell_.width();
}

std::int64_t NativeLayer::units_of(std::int64_t panel) const noexcept {
  return std::min(cell_.units, hidden_size_ - panel * cell_.units);
}

/// A member's gate panels. They hold the units of whole panels of d(h), or of d(m) where h is
/// projected, so that in the backward pass no one else's is needed.
NativeLayer::Share NativeLayer::panels_of(const NativeWork& work) const noexcept {
  const std::int64_t together = cell_.width() / cell_.units;
  const Share share = work.member.share(parts_of(hidden_size_, cell_.width()));
  return {share.begin * together, std::min(share.end * together, panels_)};
}

/// A member's share, in whole panels, of `size` features.
NativeLayer::Share NativeLayer::share_of(const NativeWork& work, std::int64_t size) const noexcept {
  const Share panels = work.member.share(parts_of(size, cell_.width()));
  return {panels.begin * cell_.width(), std::min(panels.end * cell_.width(), size)};
}

/// Which of W_hh's panels a member takes as number i of step t. Few rows wait for the panels rather
/// than compute, so every other step goes backwards: it begins with those that the caches still
/// hold from the last one.
std::int64_t NativeLayer::there_and_back(const Share& panels, std::int64_t i, std::int64_t t,
                                         std::int64_t rows) noexcept {
  constexpr std::int64_t kFewRows = 16;
  return rows > kFewRows || t % 2 == 0 ? i : panels.begin + panels.end - 1 - i;
}

/// Steps whose gates together stay in the second-level cache between the two products.
std::int64_t NativeLayer::steps_at_once(const NativeWork& work) const noexcept {
  constexpr std::int64_t kFloats = 64 * 1024;
  const std::int64_t floats_a_step = (work.last - work.first) * panels_ * cell_.width();
  return std::max<std::int64_t>(1, kFloats / floats_a_step);
}

}  // namespace quadgate
