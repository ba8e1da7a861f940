#include "engine/native/projection.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/base/ceil_div.h"
#include "engine/native/gradient_tile.h"

namespace quadgate::native {

Projection::Projection(std::int64_t share_width, const RecurrentConfig& config,
                       const LayerPlan& plan, const Parameters& parameters, GradientBuffer& buffer)
    : keeps_all_(!plan.forward_only),
      hidden_size_(config.hidden_size),
      proj_size_(config.proj_size),
      share_width_(share_width),
      cell_(cell_kernels(config.cell, kernels::Arithmetic::floats, plan.isa)),
      buffer_(buffer),
      m_(floats(keeps_all_ ? plan.capacity : plan.batch_size, hidden_size_)) {
  const auto& weight = parameters.slice(plan.prefix + "weight_hr" + plan.suffix);
  std::vector<std::int64_t> rows(static_cast<std::size_t>(proj_size_));
  std::iota(rows.begin(), rows.end(), 0);
  packed_ = {parameters,
             weight,
             {.rows = std::move(rows),
              .forward_width = cell_.width(),
              .backward_width = plan.forward_only ? 0 : cell_.width(),
              .kernels = cell_.matrix}};
  range_ = weight.range();
  if (plan.forward_only) return;
  d_m_ = Buffer(floats(plan.batch_size, hidden_size_));
  d_h_ = Buffer(floats(plan.capacity, proj_size_));
}

/// A member's panels of the matrix.
Team::Member::Share Projection::share_of(const WorkRange& work,
                                         const PackedMatrix& matrix) const noexcept {
  const std::int64_t together = share_width_ / cell_.width();
  const auto share = work.member.share(ceil_div(matrix.panels(), together));
  return {share.begin * together, std::min(share.end * together, matrix.panels())};
}

void Projection::forward(const WorkRange& work, std::int64_t t, const RowView& y) const {
  work.member.wait();
  const std::int64_t row = work.row(t);
  const auto share = share_of(work, packed_.forward());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    cell_.matrix.product(work.rows(t), hidden_size_,
                         {.data = m_.data() + m_row(row, work.first) * hidden_size_,
                          .row_stride = hidden_size_,
                          .step = 1,
                          .run = hidden_size_,
                          .run_stride = 0},
                         packed_.forward().panel(panel),
                         {.data = y.at(row) + panel * cell_.width(),
                          .stride = y.stride,
                          .columns = packed_.forward().columns_of(panel),
                          .start = kernels::Output::Start::zero,
                          .bias = nullptr});
  }
}

void Projection::backward(const WorkRange& work, std::int64_t t, const RowView& dy,
                          const RowView& dh) {
  const std::int64_t rows = work.rows(t);
  float* const d_h = d_h_.data() + work.row(t) * proj_size_;
  const auto columns = share_of(work, packed_.forward());
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* const above = dy.at(work.row(t) + row);
    const float* const after = dh.at(work.first + row);
    const std::int64_t end = std::min(columns.end * cell_.width(), proj_size_);
    for (std::int64_t i = columns.begin * cell_.width(); i < end; ++i) {
      d_h[row * proj_size_ + i] = above[i] + after[i];
    }
  }
  work.member.wait();
  const auto share = share_of(work, packed_.backward());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    cell_.matrix.product(
        rows, proj_size_,
        {.data = d_h, .row_stride = proj_size_, .step = 1, .run = proj_size_, .run_stride = 0},
        packed_.backward().panel(panel),
        {.data = d_m_.data() + work.first * hidden_size_ + panel * cell_.width(),
         .stride = hidden_size_,
         .columns = packed_.backward().columns_of(panel),
         .start = kernels::Output::Start::zero,
         .bias = nullptr});
  }
}

void Projection::add_gradient_tasks(TaskList& tasks, std::int64_t layer, std::int64_t capacity) {
  for (std::int64_t panel = 0; panel < packed_.backward().panels(); ++panel) {
    tasks.add(
        {.cost = static_cast<double>(capacity * proj_size_ * packed_.backward().columns_of(panel)),
         .layer = layer,
         .writes = {range_},
         .run = [this, panel](const Differentiated& backward, double* square) {
           *square = gradient(panel, backward.pass().steps);
         }});
  }
}

/// Computes the gradient of a panel of columns. Returns the sum of its squares.
double Projection::gradient(std::int64_t panel, const PackedSteps& steps) {
  const float* const left = d_h_.data();
  const std::int64_t first_column = panel * cell_.width();
  std::array<GradientTile::Block, 1> block{{{.panel = 0,
                                             .first_row = 0,
                                             .rows = proj_size_,
                                             .target = buffer_.of(range_) + first_column}}};
  compute({.kernels = &cell_.matrix,
           .depth = steps.size(),
           .left = std::span(&left, 1),
           .left_width = proj_size_,
           .right = m(),
           .right_rows = nullptr,
           .first_column = first_column,
           .columns = packed_.backward().columns_of(panel),
           .target_stride = hidden_size_},
          block);
  return block[0].square;
}

}  // namespace quadgate::native
