#include "engine/native/head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"
#include "engine/native/gradient_tile.h"

namespace quadgate::native {
namespace {

using kernels::Output;

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

Head::Head(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
           GradientBuffer& gradient)
    : model_(plan.model),
      loss_(plan.model),
      features_(plan.model.rnn.output_size()),
      kernels_(cell.matrix),
      product_width_(cell.width()),
      bias_(
          static_cast<std::size_t>(ceil_div(model_.output_size, kernels_.lanes) * kernels_.lanes)),
      bias_values_(parameters.value(parameters.head_bias())),
      bias_range_(parameters.head_bias().range()),
      tied_(parameters.tied()),
      capacity_(plan.batch_size * (at_every_step() ? plan.seq_len : 1)),
      weight_range_(parameters.head_weight().range()),
      weight_gradient_(gradient.of(parameters.head_weight())),
      bias_gradient_(gradient.of(parameters.head_bias())) {
  packed_ = {parameters,
             parameters.head_weight(),
             {.rows = all_rows(model_.output_size),
              .forward_width = cell.width(),
              .backward_width = plan.options.forward_only ? 0 : cell.width(),
              .kernels = kernels_}};
  outputs_ = Buffer(static_cast<std::size_t>(capacity_ * model_.output_size));
  if (model_.task == Task::regression) {
    errors_.resize(static_cast<std::size_t>(capacity_));
  } else {
    labels_.resize(static_cast<std::size_t>(capacity_));
    losses_.resize(static_cast<std::size_t>(capacity_));
    predictions_.resize(static_cast<std::size_t>(capacity_));
  }
  if (!at_every_step()) pooling_.emplace(model_, plan.batch_size);
  if (model_.crf) crf_.emplace(plan, kernels_, parameters, gradient);
}

void Head::add_pack_tasks(std::vector<PackTask>& tasks) {
  packed_.add_pack_tasks(tasks);
  tasks.push_back({{bias_range_}, [this] { std::ranges::copy(bias_values_, bias_.data()); }});
  if (crf_) crf_->add_pack_tasks(tasks);
}

template <typename Body>
void Head::for_each_piece(const WorkRange& work, Body body) const {
  if (!at_every_step()) {
    const auto share = work.member.share(work.last - work.first);
    return body(work.first + share.begin, share.end - share.begin);
  }
  const auto share = work.member.share(work.pass.steps.seq_len());
  work.for_each_run(share.begin, share.end, body);
}

Head::Forward Head::forward(const WorkRange& work, const RowView& y) {
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  if (pooling_) pooling_->forward(work, y);
  const RowView from = input(y);
  for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
    for (std::int64_t panel = 0; panel < packed_.forward().panels(); ++panel) {
      const std::int64_t column = packed_.forward().first_column(panel);
      kernels_.product(rows, features_,
                       {.data = from.at(row),
                        .row_stride = from.stride,
                        .step = 1,
                        .run = features_,
                        .run_stride = 0},
                       packed_.forward().panel(panel),
                       {.data = outputs_.data() + row * model_.output_size + column,
                        .stride = model_.output_size,
                        .columns = packed_.forward().columns_of(panel),
                        .start = Output::Start::bias,
                        .bias = bias_.data() + column});
    }
  });
  return Forward(work);
}

void Head::load_labels(const WorkRange& work) {
  const Batch& batch = work.pass.batch;
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const auto in_batch = static_cast<std::size_t>(work.pass.steps.row_in_batch(place));
    if (!at_every_step()) {
      labels_[static_cast<std::size_t>(place)] = batch.labels[in_batch];
      continue;
    }
    const std::int64_t* from = batch.labels.data() + batch.offsets[in_batch];
    for (std::int64_t t = 0; t < work.pass.steps.length(place); ++t) {
      labels_[static_cast<std::size_t>(work.pass.steps.offset_at(t) + place)] = from[t];
    }
  }
}

Loss::Rows Head::label_rows(std::int64_t first, std::int64_t rows) noexcept {
  return {.rows = rows,
          .logits = outputs_.data() + first * model_.output_size,
          .labels = labels_.data() + first,
          .losses = losses_.data() + first,
          .predictions = predictions_.data() + first};
}

Head::Losses Head::loss(Forward forward) {
  const WorkRange& work = forward.work();
  const auto& gradient_scale = work.pass.gradient_scale;
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const bool labelled = model_.task != Task::regression;
  if (labelled) load_labels(work);
  work.member.wait();  // others have computed the outputs and loaded the labels
  if (crf_) {
    crf_->run(work, label_rows(0, capacity_), outputs_.data());
  } else if (labelled) {
    for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
      float* const outputs = outputs_.data() + row * model_.output_size;
      loss_.run(label_rows(row, rows), gradient_scale.value_or(0),
                gradient_scale ? outputs : nullptr);
    });
  } else {
    value_losses(work);
  }
  work.member.wait();
  return Losses(work);
}

void Head::value_losses(const WorkRange& work) {
  const Batch& batch = work.pass.batch;
  const auto& gradient_scale = work.pass.gradient_scale;
  const auto size = static_cast<std::size_t>(model_.output_size);
  const auto targets = static_cast<std::size_t>(model_.target_size());
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    float* const outputs = outputs_.data() + place * model_.output_size;
    const auto target = static_cast<std::size_t>(work.pass.steps.row_in_batch(place)) * targets;
    errors_[static_cast<std::size_t>(place)] =
        loss_.of_values({outputs, size}, std::span(batch.targets).subspan(target, targets),
                        gradient_scale.value_or(0), gradient_scale ? outputs : nullptr);
  }
}

Metrics Head::metrics(const Everywhere<Losses>& losses) {
  const PackedSteps& steps = losses.pass().steps;
  if (model_.task == Task::regression) {
    return std::accumulate(errors_.begin(), errors_.begin() + steps.rows(), Metrics{},
                           [](Metrics total, const Metrics& row) { return total += row; });
  }
  return loss_.sum(label_rows(0, at_every_step() ? steps.size() : steps.rows()));
}

void Head::backward(const Losses& losses, const RowView& dy) {
  const WorkRange& work = losses.work();
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const RowView target = pooling_ ? pooling_->d_pooled() : dy;
  for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
    for (std::int64_t panel = 0; panel < packed_.backward().panels(); ++panel) {
      const std::int64_t column = packed_.backward().first_column(panel);
      kernels_.product(rows, model_.output_size,
                       {.data = outputs_.data() + row * model_.output_size,
                        .row_stride = model_.output_size,
                        .step = 1,
                        .run = model_.output_size,
                        .run_stride = 0},
                       packed_.backward().panel(panel),
                       {.data = target.at(row) + column,
                        .stride = target.stride,
                        .columns = packed_.backward().columns_of(panel),
                        .start = Output::Start::zero,
                        .bias = nullptr});
    }
  });
  if (pooling_) pooling_->backward(losses, dy);
  work.member.wait();
}

void Head::add_gradient_tasks(TaskList& tasks, Stack& stack) {
  if (crf_) crf_->add_gradient_tasks(tasks, labels_.data(), outputs_.data());
  constexpr std::int64_t kTasks = 64;  // at least, before tasks become wider
  constexpr std::int64_t kMostPanels = 4;
  const std::int64_t width = product_width_;
  const std::int64_t panels = ceil_div(model_.output_size, width) * ceil_div(features_, width);
  const std::int64_t columns = std::clamp<std::int64_t>(panels / kTasks, 1, kMostPanels) * width;
  for (std::int64_t row = 0; row < model_.output_size; row += width) {
    for (std::int64_t column = 0; column < features_; column += columns) {
      const GradientPart part{row, std::min(width, model_.output_size - row), column,
                              std::min(columns, features_ - column)};
      std::vector<FlatRange> writes{weight_range_};
      if (column == 0) writes.push_back(bias_range_);
      tasks.add({.cost = static_cast<double>(capacity_ * part.rows * part.columns),
                 .layer = model_.rnn.num_layers - 1,
                 .writes = std::move(writes),
                 .run = [this, part, &stack](const Differentiated& backward, double* square) {
                   *square = gradient(part, backward.pass().steps, stack.output(backward));
                 }});
    }
  }
}

/// Computes the gradient of a part of the weight. The part with the first columns has the bias as
/// well. Returns the sum of the squares.
double Head::gradient(const GradientPart& part, const PackedSteps& steps, const RowView& y) {
  constexpr std::size_t kWidest = 64;
  std::array<float, kWidest> sums{};
  const bool sums_bias = part.column == 0;
  const std::array<const float*, 1> left{outputs_.data() + part.row};
  std::array<GradientTile::Block, 1> block{
      {{.rows = part.rows, .target = weight_gradient_ + part.row * features_ + part.column}}};
  compute({.kernels = &kernels_,
           .depth = at_every_step() ? steps.size() : steps.rows(),
           .left = left,
           .left_width = part.rows,
           .left_stride = model_.output_size,
           .left_sums = sums_bias ? sums.data() : nullptr,
           .right = input(y),
           .right_rows = nullptr,
           .first_column = part.column,
           .columns = part.columns,
           .target_stride = features_},
          block);
  const double square = tied_ ? 0 : block[0].square;
  if (!sums_bias) return square;
  std::copy_n(sums.data(), part.rows, bias_gradient_ + part.row);
  return square + kernels_.sum_of_squares(1, part.rows, sums.data(), part.rows);
}

void Head::copy_outputs(const Forward& forward, std::span<float> outputs) const {
  const WorkRange& work = forward.work();
  const Batch& batch = work.pass.batch;
  const std::int64_t size = model_.output_size;
  work.member.wait();  // others have computed the outputs
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const std::int64_t in_batch = work.pass.steps.row_in_batch(place);
    if (!at_every_step()) {
      std::copy_n(outputs_.data() + place * size, size, outputs.data() + in_batch * size);
      continue;
    }
    const std::int64_t first = batch.offsets[static_cast<std::size_t>(in_batch)];
    for (std::int64_t t = 0; t < work.pass.steps.length(place); ++t) {
      std::copy_n(outputs_.data() + (work.pass.steps.offset_at(t) + place) * size, size,
                  outputs.data() + (first + t) * size);
    }
  }
}

}  // namespace quadgate::native
