#include "engine/native/layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <span>

#include "engine/base/ceil_div.h"
#include "engine/native/gradient_tile.h"
#include "kernels/base/panels.h"

namespace quadgate::native {
namespace {

/// Floats of a row of a tile's right side: in bf16 several panels, since there the left side, too,
/// is brought together.
constexpr std::int64_t tile_width(bool bf16, std::int64_t panel) noexcept {
  return bf16 ? 4 * panel : panel;
}

}  // namespace

/// Panels whose weight gradients are computed together, so that the right side is brought together
/// once for all of them.
std::int64_t Layer::tile_panels(int cores) const noexcept {
  constexpr auto kMost = static_cast<std::int64_t>(GradientTile::kMostPanels);
  constexpr std::int64_t kTilesACore = 8;
  if (cores == 1) return kMost;
  const std::int64_t tiles = panels_ * (tile_columns(ih_) + tile_columns(hh_));
  return std::clamp<std::int64_t>(tiles / (kTilesACore * cores), 1, kMost);
}

std::int64_t Layer::tile_columns(const Product& product) const noexcept {
  return product.parts * ceil_div(product.inputs / product.parts, tile_width(bf16_, cell_.width()));
}

std::int64_t Layer::gradient_tasks(int cores) const noexcept {
  return ceil_div(panels_, tile_panels(cores)) * (tile_columns(ih_) + tile_columns(hh_)) +
         (projection_ ? projection_->gradient_tasks() : 0);
}

void Layer::gradient(std::int64_t task, int cores, const PackedSteps& steps, const LayerRows& x,
                     const LayerRows& y, const DropoutKey* dropout) {
  if (projection_) {
    if (task < projection_->gradient_tasks()) return projection_->gradient(task, steps);
    task -= projection_->gradient_tasks();
  }
  const std::int64_t columns_ih = tile_columns(ih_);
  const std::int64_t tiles = columns_ih + tile_columns(hh_);
  const std::int64_t together = tile_panels(cores);
  const std::int64_t tile = task % tiles;
  const std::int64_t first = task / tiles * together;
  const Share panels{first, std::min(first + together, panels_)};
  double* const squares = squares_.data() + (1 + tile) * panels_;
  if (tile < columns_ih) {
    weight_gradient(ih_, cell_.ih, panels, tile, steps, x, nullptr, nullptr, squares);
  } else {
    const auto rows = reverse_ ? steps.after() : steps.before();
    weight_gradient(hh_, cell_.hh, panels, tile - columns_ih, steps, y, rows.data(),
                    weight_dropout_.is_on() ? dropout : nullptr, squares);
  }
}

double Layer::gradient_square() const noexcept {
  return std::accumulate(squares_.begin(), squares_.end(),
                         projection_ ? projection_->gradient_square() : 0.0);
}

/// From the sums over the rows of the panel's d(gates). Returns the sum of their squares.
double Layer::bias_gradient(std::int64_t panel, const float* sums) {
  const std::int64_t units = units_of(panel);
  const auto scatter = [&](const CellKernels::Slots& slots, float* gradient) {
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

/// The gradient of a tile of W_hh from that of its dropped weights. Returns the sum of its squares.
double Layer::drop_gradient(const DropoutKey& key, float* tile, std::int64_t rows,
                            std::int64_t column, std::int64_t columns) const noexcept {
  const std::int64_t first = (tile - hh_.gradient) / hh_.inputs;
  for (std::int64_t row = 0; row < rows; ++row) {
    float* const to = tile + row * hh_.inputs;
    weight_dropout_.weights(key, layer_, reverse_ ? 1 : 0, first + row, column,
                            {to, static_cast<std::size_t>(columns)}, to);
  }
  return sum_of_squares(tile, rows, columns, hh_.inputs);
}

void Layer::weight_gradient(const Product& product, const CellKernels::Slots& slots, Share panels,
                            std::int64_t column, const PackedSteps& steps, const LayerRows& right,
                            const std::int64_t* right_rows, const DropoutKey* dropout,
                            double* squares) {
  constexpr std::size_t kWidest = 64;
  std::array<float, GradientTile::kMostPanels * kWidest> sums{};
  std::array<const float*, GradientTile::kMostPanels> left{};
  std::array<GradientTile::Block, GradientTile::kMostPanels * kernels::kPanelVectors> blocks;
  const std::int64_t width = tile_width(bf16_, cell_.width());
  const std::int64_t part_size = product.inputs / product.parts;
  const std::int64_t part = column / ceil_div(part_size, width);
  const std::int64_t first_column = column % ceil_div(part_size, width) * width;
  const std::int64_t columns = std::min(width, part_size - first_column);
  std::size_t count = 0;
  for (std::int64_t i = 0; i < panels.end - panels.begin; ++i) {
    const std::int64_t panel = panels.begin + i;
    left[static_cast<std::size_t>(i)] = gates(panel, 0);
    for (std::int64_t slot = 0; slot < slots.count(); ++slot) {
      const std::int64_t gate = slots.gates[static_cast<std::size_t>(slot)];
      const std::int64_t row = gate * hidden_size_ + panel * cell_.units;
      blocks[count++] = {
          .panel = i,
          .first_row = (slots.first + slot) * cell_.units,
          .rows = units_of(panel),
          .target = product.gradient + row * product.inputs + part * part_size + first_column};
    }
  }
  const auto used = static_cast<std::size_t>(panels.end - panels.begin);
  const bool sums_biases = has_bias_ && &product == &hh_ && column == 0;
  RowView right_part = bf16_ ? right.words : right.rows;
  if (bf16_) right_part.data += part * right.word_parts_stride;
  if (right_rows != nullptr) right_part.data -= front_ * right_part.stride;
  compute({.depth = steps.size(),
           .left = std::span(left).first(used),
           .left_width = cell_.width(),
           .left_sums = sums_biases ? sums.data() : nullptr,
           .right = right_part,
           .right_rows = right_rows,
           .first_column = first_column,
           .columns = columns,
           .target_stride = product.inputs,
           .precision = bf16_ ? Precision::bf16 : Precision::f32},
          std::span(blocks).first(count));
  for (auto& block : std::span(blocks).first(dropout == nullptr ? 0 : count)) {
    block.square = drop_gradient(*dropout, block.target, block.rows, first_column, columns);
  }
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) squares[panel] = 0;
  for (const auto& block : std::span(blocks).first(count)) {
    squares[panels.begin + block.panel] += block.square;
  }
  for (std::int64_t panel = panels.begin; sums_biases && panel < panels.end; ++panel) {
    squares_[static_cast<std::size_t>(panel)] =
        bias_gradient(panel, sums.data() + (panel - panels.begin) * cell_.width());
  }
}

}  // namespace quadgate::native
