#include "engine/native/layer.h"

#include <algorithm>
#include <array>
#include <cstddef>
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

Layer::GradientPart Layer::gradient_part(bool recurrent, Share panels,
                                         std::int64_t column) const noexcept {
  const Product& product = recurrent ? hh_ : ih_;
  const std::int64_t slots = (recurrent ? cell_.hh : cell_.ih).count();
  const std::int64_t columns = product.inputs / tile_columns(product);
  return {recurrent, panels, column,
          static_cast<double>((panels.end - panels.begin) * slots * cell_.units * columns)};
}

std::vector<Layer::GradientPart> Layer::gradient_parts(int cores) const {
  std::vector<GradientPart> parts;
  const std::int64_t together = tile_panels(cores);
  for (const bool recurrent : {false, true}) {
    for (std::int64_t column = 0; column < tile_columns(recurrent ? hh_ : ih_); ++column) {
      for (std::int64_t first = 0; first < panels_; first += together) {
        parts.push_back(
            gradient_part(recurrent, {first, std::min(first + together, panels_)}, column));
      }
    }
  }
  return parts;
}

/// From the sums over the rows of the panel's d(gates). Returns the sum of their squares.
double Layer::bias_gradient(std::int64_t panel, const float* sums) {
  const std::int64_t units = units_of(panel);
  const auto scatter = [&](const CellKernels::Slots& slots, float* gradient) {
    const float* from = sums + slots.first * cell_.units;
    const double square = cell_.matrix.sum_of_squares(slots.count(), units, from, cell_.units);
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
  return cell_.matrix.sum_of_squares(rows, columns, tile, hh_.inputs);
}

void Layer::gradient(const GradientPart& part, const Pass& pass, const LayerRows& x,
                     const LayerRows& y, double* squares) {
  constexpr std::size_t kWidest = 64;
  std::array<float, GradientTile::kMostPanels * kWidest> sums{};
  std::array<const float*, GradientTile::kMostPanels> left{};
  std::array<GradientTile::Block, GradientTile::kMostPanels * kernels::kPanelVectors> blocks;
  const Product& product = part.recurrent ? hh_ : ih_;
  const CellKernels::Slots& slots = part.recurrent ? cell_.hh : cell_.ih;
  const LayerRows& right = part.recurrent ? y : x;
  const Share& panels = part.panels;
  const std::int64_t width = tile_width(bf16_, cell_.width());
  const std::int64_t part_size = product.inputs / product.parts;
  const std::int64_t piece = part.column / ceil_div(part_size, width);
  const std::int64_t first_column = part.column % ceil_div(part_size, width) * width;
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
          .target = product.gradient + row * product.inputs + piece * part_size + first_column};
    }
  }
  const auto used = static_cast<std::size_t>(panels.end - panels.begin);
  const bool sums_biases = has_bias_ && part.recurrent && part.column == 0;
  RowView right_part = bf16_ ? right.words : right.rows;
  if (bf16_) right_part.data += piece * right.word_parts_stride;
  if (part.recurrent) right_part.data -= front_ * right_part.stride;
  const auto before = reverse_ ? pass.steps.after() : pass.steps.before();
  compute({.kernels = &cell_.matrix,
           .depth = pass.steps.size(),
           .left = std::span(left).first(used),
           .left_width = cell_.width(),
           .left_sums = sums_biases ? sums.data() : nullptr,
           .right = right_part,
           .right_rows = part.recurrent ? before.data() : nullptr,
           .first_column = first_column,
           .columns = columns,
           .target_stride = product.inputs},
          std::span(blocks).first(count));
  if (part.recurrent && weight_dropout_.is_on() && pass.drops()) {
    for (auto& block : std::span(blocks).first(count)) {
      block.square = drop_gradient(*pass.dropout, block.target, block.rows, first_column, columns);
    }
  }
  std::fill_n(squares, used, 0.0);
  for (const auto& block : std::span(blocks).first(count)) squares[block.panel] += block.square;
  for (std::int64_t i = 0; sums_biases && i < panels.end - panels.begin; ++i) {
    squares[i] += bias_gradient(panels.begin + i, sums.data() + i * cell_.width());
  }
}

}  // namespace quadgate::native
