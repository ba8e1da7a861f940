#include "engine/native/layer_gradient.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "engine/base/ceil_div.h"
#include "kernels/base/panels.h"

namespace quadgate::native {
namespace {

/// Whether a tile is as large as GradientTile takes it. Its gates come once from beyond the
/// second-level cache, and its right side is gathered once. In f32, AVX-512 gains nothing by that.
bool prefers_large_tiles(const GatePanels& panels) noexcept {
  return panels.cell.matrix.lanes < 16;
}

/// Columns of a tile at most, in whole panels. In bf16 a task gathers its left side as well.
std::int64_t most_columns(bool bf16, const GatePanels& panels) noexcept {
  constexpr std::int64_t kMostColumns = 256;
  return bf16 || prefers_large_tiles(panels) ? kMostColumns : panels.cell.width();
}

std::int64_t most_panels(const GatePanels& panels) noexcept {
  constexpr auto kMostPanels = static_cast<std::int64_t>(GradientTile::kMostPanels);
  return prefers_large_tiles(panels) ? kMostPanels : kMostPanels / 2;
}

}  // namespace

LayerGradient::LayerGradient(const LayerWeights& weights, const GateArray& gates,
                             const LayerPlan& plan, const Parameters& parameters,
                             GradientBuffer& buffer)
    : weights_(weights),
      gates_(gates),
      panels_(weights.panels()),
      cell_(panels_.cell),
      most_columns_(most_columns(gates.bf16(), panels_)),
      capacity_(plan.capacity),
      cores_(plan.cores),
      initial_rows_(plan.initial_rows),
      layer_(plan.layer),
      reverse_(plan.reverse),
      ih_{.slots = cell_.ih,
          .recurrent = false,
          .columns = weights.ih().columns(),
          .parts = gates.bf16() ? plan.input_parts : 1,
          .weight = parameters.slice(plan.parameter("weight_ih")).range()},
      hh_{.slots = cell_.hh,
          .recurrent = true,
          .columns = weights.hh().columns(),
          .parts = 1,
          .weight = parameters.slice(plan.parameter("weight_hh")).range()},
      buffer_(buffer) {
  if (!weights.has_bias()) return;
  ih_.bias = parameters.slice(plan.parameter("bias_ih")).range();
  hh_.bias = parameters.slice(plan.parameter("bias_hh")).range();
}

/// Columns of a tile. They are cut into whole panels, as evenly as can be.
std::int64_t LayerGradient::tile_width(const Matrix& matrix) const noexcept {
  const std::int64_t columns = matrix.columns / matrix.parts;
  const std::int64_t even = ceil_div(columns, ceil_div(columns, most_columns_));
  return ceil_div(even, cell_.width()) * cell_.width();
}

/// Tiles side by side.
std::int64_t LayerGradient::tiles_across(const Matrix& matrix) const noexcept {
  return matrix.parts * ceil_div(matrix.columns / matrix.parts, tile_width(matrix));
}

/// Panels of a tile. A task gathers its right side once for all of them. Fewer cores have larger
/// tiles.
std::int64_t LayerGradient::tile_panels() const noexcept {
  constexpr std::int64_t kTilesACore = 8;
  const std::int64_t most = most_panels(panels_);
  if (cores_ == 1) return most;
  const std::int64_t tiles = panels_.count() * (tiles_across(ih_) + tiles_across(hh_));
  return std::clamp<std::int64_t>(tiles / (kTilesACore * cores_), 1, most);
}

void LayerGradient::add_tasks(TaskList& tasks, const Sides& sides) const {
  add_tasks(tasks, ih_, sides);
  add_tasks(tasks, hh_, sides);
}

void LayerGradient::add_tasks(TaskList& tasks, const Matrix& matrix, const Sides& sides) const {
  const std::int64_t part_columns = matrix.columns / matrix.parts;
  const std::int64_t width = tile_width(matrix);
  const std::int64_t tiles = ceil_div(part_columns, width);  // of a part
  const std::int64_t mean_columns = matrix.columns / tiles_across(matrix);
  const LayerRows& x = matrix.recurrent ? sides.y : sides.x;
  const LayerRows& dropped_x = matrix.recurrent ? sides.y : sides.dropped_x;
  for (std::int64_t column = 0; column < tiles_across(matrix); ++column) {
    for (std::int64_t panel = 0; panel < panels_.count(); panel += tile_panels()) {
      const std::int64_t first_column = column % tiles * width;
      const Tile tile{.panels = {panel, std::min(panel + tile_panels(), panels_.count())},
                      .part = column / tiles,
                      .first_column = first_column,
                      .columns = std::min(width, part_columns - first_column)};
      const std::int64_t panels = tile.panels.end - panel;
      tasks.add(
          {.cost = static_cast<double>(panels * matrix.slots.count() * cell_.units * mean_columns) *
                   static_cast<double>(capacity_),
           .group = panel,
           .layer = layer_,
           .writes = writes(matrix, tile),
           .squares = panels,
           .run = [this, &matrix, tile, x, dropped_x](const Differentiated& backward,
                                                      double* squares) {
             const Pass& pass = backward.pass();
             compute(matrix, tile, pass, pass.drops() ? dropped_x : x, squares);
           }});
    }
  }
}

/// Of each slot whole rows, some columns of which are the tile's.
std::vector<FlatRange> LayerGradient::writes(const Matrix& matrix, const Tile& tile) const {
  const std::int64_t first = panels_.first_unit(tile.panels.begin);
  const std::int64_t last = tile.panels.end - 1;
  const std::int64_t rows = panels_.first_unit(last) + panels_.units_of(last) - first;
  std::vector<FlatRange> ranges;
  for (const std::int64_t gate : matrix.slots.gates) {
    const std::int64_t row = gate * panels_.hidden_size + first;
    ranges.push_back({matrix.weight.begin + static_cast<std::size_t>(row * matrix.columns),
                      static_cast<std::size_t>(rows * matrix.columns)});
  }
  if (has_biases(matrix, tile)) ranges.insert(ranges.end(), {ih_.bias, hh_.bias});
  return ranges;
}

/// Sets the blocks of a tile, one for each slot of each panel. Returns those that there are.
std::span<GradientTile::Block> LayerGradient::blocks(
    const Matrix& matrix, const Tile& tile, std::span<GradientTile::Block> blocks) const noexcept {
  const std::int64_t column = tile.part * (matrix.columns / matrix.parts) + tile.first_column;
  std::size_t count = 0;
  for (std::int64_t panel = tile.panels.begin; panel < tile.panels.end; ++panel) {
    for (std::int64_t slot = 0; slot < matrix.slots.count(); ++slot) {
      const std::int64_t gate = matrix.slots.gates[static_cast<std::size_t>(slot)];
      const std::int64_t row = gate * panels_.hidden_size + panels_.first_unit(panel);
      blocks[count++] = {.panel = panel - tile.panels.begin,
                         .first_row = (matrix.slots.first + slot) * cell_.units,
                         .rows = panels_.units_of(panel),
                         .target = buffer_.of(matrix.weight) + row * matrix.columns + column};
    }
  }
  return blocks.first(count);
}

void LayerGradient::compute(const Matrix& matrix, const Tile& tile, const Pass& pass,
                            const LayerRows& right, double* squares) const {
  constexpr std::size_t kWidest = 64;
  std::array<float, GradientTile::kMostPanels * kWidest> sums{};
  std::array<const float*, GradientTile::kMostPanels> left{};
  std::array<GradientTile::Block, GradientTile::kMostPanels * kernels::kPanelVectors> all_blocks;
  const auto blocks = this->blocks(matrix, tile, all_blocks);
  const std::int64_t panels = tile.panels.end - tile.panels.begin;
  for (std::int64_t i = 0; i < panels; ++i) {
    left[static_cast<std::size_t>(i)] = gates_.gates(tile.panels.begin + i, 0);
  }
  const bool is_callers = layer_ == 0 && !matrix.recurrent && pass.callers.x.data != nullptr;
  RowView rows = is_callers ? pass.callers.x : right.rows;
  if (gates_.bf16()) {
    rows = right.pairs;
    rows.data += tile.part * right.pair_parts_stride;
  }
  if (matrix.recurrent) rows.data -= initial_rows_ * rows.stride;
  const auto before = reverse_ ? pass.steps.after() : pass.steps.before();
  const bool sums_biases = has_biases(matrix, tile);
  native::compute({.kernels = &cell_.matrix,
                   .depth = pass.steps.size(),
                   .left = std::span(left).first(static_cast<std::size_t>(panels)),
                   .left_width = cell_.width(),
                   .left_sums = sums_biases ? sums.data() : nullptr,
                   .right = rows,
                   .right_rows = matrix.recurrent ? before.data() : nullptr,
                   .first_column = tile.first_column,
                   .columns = tile.columns,
                   .target_stride = matrix.columns},
                  blocks);
  if (matrix.recurrent && weights_.drops_recurrent() && pass.drops()) {
    for (auto& block : blocks) block.square = drop(*pass.dropout, tile, block);
  }
  std::fill_n(squares, panels, 0.0);
  for (const auto& block : blocks) squares[block.panel] += block.square;
  for (std::int64_t i = 0; sums_biases && i < panels; ++i) {
    squares[i] += bias_gradient(tile.panels.begin + i, sums.data() + i * cell_.width());
  }
}

/// Makes the gradient of dropped weights of W_hh that of the weights. Returns the sum of its
/// squares.
double LayerGradient::drop(const DropoutKey& key, const Tile& tile,
                           const GradientTile::Block& block) const noexcept {
  const std::int64_t first = (block.target - buffer_.of(hh_.weight)) / hh_.columns;
  for (std::int64_t row = 0; row < block.rows; ++row) {
    float* const to = block.target + row * hh_.columns;
    weights_.drop(key, first + row, tile.first_column, {to, static_cast<std::size_t>(tile.columns)},
                  to);
  }
  return cell_.matrix.sum_of_squares(block.rows, tile.columns, block.target, hh_.columns);
}

/// Sets the biases of a panel from the sums of its d(gates) over the rows. Returns the sum of the
/// squares.
double LayerGradient::bias_gradient(std::int64_t panel, const float* sums) const {
  return scatter_bias(ih_, panel, sums) + scatter_bias(hh_, panel, sums);
}

double LayerGradient::scatter_bias(const Matrix& matrix, std::int64_t panel,
                                   const float* sums) const {
  const std::int64_t units = panels_.units_of(panel);
  const float* from = sums + matrix.slots.first * cell_.units;
  const double square = cell_.matrix.sum_of_squares(matrix.slots.count(), units, from, cell_.units);
  for (const std::int64_t gate : matrix.slots.gates) {
    std::copy_n(from, units,
                buffer_.of(matrix.bias) + gate * panels_.hidden_size + panels_.first_unit(panel));
    from += cell_.units;
  }
  return square;
}

}  // namespace quadgate::native
