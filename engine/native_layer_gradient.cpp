#include "engine/native_layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>

#include "engine/gradient_tile.h"
#include "engine/parts.h"

namespace quadgate {
namespace {

using kernels::ProductTarget;

/// Floats of a row of a tile's right side: in bf16 several panels, since there the left side, too,
/// is brought together.
constexpr std::int64_t tile_width(bool bf16, std::int64_t panel) noexcept {
  return bf16 ? 4 * panel : panel;
}

}  // namespace

/// Panels whose weight gradients are computed together, so that the right side is brought together
/// once for all of them.
std::int64_t NativeLayer::tile_panels(int cores) const noexcept {
  constexpr auto kMost = static_cast<std::int64_t>(GradientTile::kMostPanels);
  constexpr std::int64_t kTilesACore = 8;
  if (cores == 1) return kMost;
  const std::int64_t tiles = panels_ * (tile_columns(ih_) + tile_columns(hh_));
  return std::clamp<std::int64_t>(tiles / (kTilesACore * cores), 1, kMost);
}

std::int64_t NativeLayer::tile_columns(const Product& product) const noexcept {
  return parts_of(product.inputs, tile_width(bf16_, cell_.width()));
}

std::int64_t NativeLayer::gradient_tasks(int cores) const noexcept {
  return parts_of(panels_, tile_panels(cores)) * (1 + tile_columns(ih_) + tile_columns(hh_)) +
         (projection_ ? projection_->gradient_tasks() : 0);
}

void NativeLayer::gradient(std::int64_t task, int cores, const PackedSteps& steps,
                           const PackedRows& x, const PackedRows& y) {
  if (projection_) {
    if (task < projection_->gradient_tasks()) return projection_->gradient(task, steps);
    task -= projection_->gradient_tasks();
  }
  const std::int64_t columns_ih = tile_columns(ih_);
  const std::int64_t tiles = 1 + columns_ih + tile_columns(hh_);
  const std::int64_t together = tile_panels(cores);
  const std::int64_t tile = task % tiles;
  const std::int64_t first = task / tiles * together;
  const Share panels{first, std::min(first + together, panels_)};
  double* const squares = squares_.data() + tile * panels_;
  if (tile == 0) {
    for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
      squares[panel] = bias_gradient(panel, steps);
    }
  } else if (tile <= columns_ih) {
    weight_gradient(ih_, cell_.ih, panels, tile - 1, steps, x, nullptr, squares);
  } else {
    const auto rows = reverse_ ? steps.after() : steps.before();
    weight_gradient(hh_, cell_.hh, panels, tile - 1 - columns_ih, steps, y, rows.data(), squares);
  }
}

double NativeLayer::gradient_square() const noexcept {
  return std::accumulate(squares_.begin(), squares_.end(),
                         projection_ ? projection_->gradient_square() : 0.0);
}

double NativeLayer::bias_gradient(std::int64_t panel, const PackedSteps& steps) {
  constexpr std::int64_t kWidest = 64;
  float sums[kWidest];
  const float one = 1;
  cell_.product(1, steps.size(),
                {.data = &one, .row_stride = 0, .step = 0, .run = steps.size(), .run_stride = 0},
                gates(panel, 0),
                {.data = sums,
                 .stride = 0,
                 .columns = cell_.width(),
                 .start = ProductTarget::Start::zero,
                 .bias = nullptr});
  const std::int64_t units = units_of(panel);
  const auto scatter = [&](const NativeCell::Slots& slots, float* gradient) {
    const float* from = sums + slots.first * cell_.units;
    const double square = sum_of_squares(from, slots.count(), units, cell_.units);
    for (const std::int64_t gate : slots.gates) {
      std::copy_n(from, units, gradient + gate * hidden_size_ + panel * cell_.units);
      from += cell_.units;
    }
    return square;
  };
  return scatter(cell_.ih, ih_.bias_gradient) + scatter(cell_.hh, hh_.bias_gradient);
}

void NativeLayer::weight_gradient(const Product& product, const NativeCell::Slots& slots,
                                  Share panels, std::int64_t column, const PackedSteps& steps,
                                  const PackedRows& right, const std::int64_t* right_rows,
                                  double* squares) {
  std::array<const float*, GradientTile::kMostPanels> left{};
  std::array<GradientTile::Block, GradientTile::kMostPanels * kernels::kPanelVectors> blocks;
  const std::int64_t width = tile_width(bf16_, cell_.width());
  const std::int64_t first_column = column * width;
  std::size_t count = 0;
  for (std::int64_t i = 0; i < panels.end - panels.begin; ++i) {
    const std::int64_t panel = panels.begin + i;
    left[static_cast<std::size_t>(i)] =
        bf16_ ? d_words_.data() + panel * panel_stride_ / 2 : gates(panel, 0);
    for (std::int64_t slot = 0; slot < slots.count(); ++slot) {
      const std::int64_t gate = slots.gates[static_cast<std::size_t>(slot)];
      const std::int64_t row = gate * hidden_size_ + panel * cell_.units;
      blocks[count++] = {.panel = i,
                         .first_row = (slots.first + slot) * cell_.units,
                         .rows = units_of(panel),
                         .target = product.gradient + row * product.inputs + first_column};
    }
  }
  const auto used = static_cast<std::size_t>(panels.end - panels.begin);
  compute({.depth = steps.size(),
           .left = std::span(left).first(used),
           .left_width = cell_.width(),
           .right = right,
           .right_rows = right_rows,
           .first_column = first_column,
           .columns = std::min(width, product.inputs - first_column),
           .target_stride = product.inputs,
           .precision = bf16_ ? Precision::bf16 : Precision::f32},
          std::span(blocks).first(count));
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) squares[panel] = 0;
  for (const auto& block : std::span(blocks).first(count)) {
    squares[panels.begin + block.panel] += block.square;
  }
}

}  // namespace quadgate
