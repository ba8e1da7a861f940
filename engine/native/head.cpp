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

Head::Head(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
           GradientBuffer& gradient)
    : model_(plan.model),
      loss_(plan.model),
      weights_(plan, cell, parameters, gradient),
      capacity_(plan.batch_size * (at_every_step() ? plan.seq_len : 1)),
      outputs_(floats(capacity_, model_.output_size)),
      losses_(at_every_step(), model_.task == Task::regression ? 0 : capacity_) {
  if (model_.task == Task::regression) errors_.resize(static_cast<std::size_t>(capacity_));
  if (!at_every_step()) pooling_.emplace(model_, plan.batch_size);
  if (model_.crf) crf_.emplace(plan, weights_.kernels(), parameters, gradient);
}

void Head::add_pack_tasks(std::vector<PackTask>& tasks) {
  weights_.add_pack_tasks(tasks);
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
    for (std::int64_t panel = 0; panel < weights_.forward().panels(); ++panel) {
      weights_.multiply(panel, rows, {from.at(row), from.stride},
                        {output(row) + weights_.forward().first_column(panel), model_.output_size});
    }
  });
  return Forward(work);
}

Head::Losses Head::loss(Forward forward) {
  const WorkRange& work = forward.work();
  const auto& gradient_scale = work.pass.gradient_scale;
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const bool labelled = model_.task != Task::regression;
  if (labelled) losses_.load(work);
  work.member.wait();  // others have computed the outputs and loaded the labels
  if (crf_) {
    crf_->run(work, losses_.rows(0, capacity_, outputs_.data()), outputs_.data());
  } else if (labelled) {
    for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
      loss_.run(losses_.rows(row, rows, output(row)), gradient_scale.value_or(0),
                gradient_scale ? output(row) : nullptr);
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
  return loss_.sum(losses_.rows(0, at_every_step() ? steps.size() : steps.rows(), outputs_.data()));
}

void Head::backward(const Losses& losses, const RowView& dy) {
  const WorkRange& work = losses.work();
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const RowView target = pooling_ ? pooling_->d_pooled() : dy;
  for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
    const kernels::Lhs d_outputs{.data = output(row),
                                 .row_stride = model_.output_size,
                                 .step = 1,
                                 .run = model_.output_size,
                                 .run_stride = 0};
    for (std::int64_t panel = 0; panel < weights_.backward().panels(); ++panel) {
      weights_.multiply_back(panel, 0, model_.output_size, rows, d_outputs,
                             {target.at(row), target.stride});
    }
  });
  if (pooling_) pooling_->backward(losses, dy);
  work.member.wait();
}

void Head::add_gradient_tasks(TaskList& tasks, Stack& stack) {
  if (crf_) crf_->add_gradient_tasks(tasks, losses_.labels(), outputs_.data());
  constexpr std::int64_t kTasks = 64;  // at least, before tasks become wider
  constexpr std::int64_t kMostPanels = 4;
  const std::int64_t width = weights_.width();
  const std::int64_t features = weights_.features();
  const std::int64_t panels = ceil_div(model_.output_size, width) * ceil_div(features, width);
  const std::int64_t columns = std::clamp<std::int64_t>(panels / kTasks, 1, kMostPanels) * width;
  for (std::int64_t output = 0; output < model_.output_size; output += width) {
    for (std::int64_t feature = 0; feature < features; feature += columns) {
      const HeadWeights::Part part{output, std::min(width, model_.output_size - output), feature,
                                   std::min(columns, features - feature)};
      tasks.add({.cost = static_cast<double>(capacity_ * part.outputs * part.features),
                 .layer = model_.rnn.num_layers - 1,
                 .writes = weights_.ranges(part),
                 .run = [this, part, &stack](const Differentiated& backward, double* square) {
                   *square = gradient(part, backward.pass().steps, stack.output(backward));
                 }});
    }
  }
}

/// Computes a part of the gradient. Returns the sum of the squares.
double Head::gradient(const HeadWeights::Part& part, const PackedSteps& steps, const RowView& y) {
  constexpr std::size_t kWidest = 64;
  std::array<float, kWidest> sums{};
  const std::array<const float*, 1> left{outputs_.data() + part.output};
  std::array<GradientTile::Block, 1> block{
      {{.rows = part.outputs, .target = weights_.weight_gradient(part)}}};
  compute({.kernels = &weights_.kernels(),
           .depth = at_every_step() ? steps.size() : steps.rows(),
           .left = left,
           .left_width = part.outputs,
           .left_stride = model_.output_size,
           .left_sums = part.has_bias() ? sums.data() : nullptr,
           .right = input(y),
           .right_rows = nullptr,
           .first_column = part.feature,
           .columns = part.features,
           .target_stride = weights_.features()},
          block);
  const double square = weights_.tied() ? 0 : block[0].square;
  if (!part.has_bias()) return square;
  std::copy_n(sums.data(), part.outputs, weights_.bias_gradient(part));
  return square + weights_.kernels().sum_of_squares(1, part.outputs, sums.data(), part.outputs);
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
      std::copy_n(outputs_.data() + work.pass.steps.row(place, t) * size, size,
                  outputs.data() + (first + t) * size);
    }
  }
}

}  // namespace quadgate::native
