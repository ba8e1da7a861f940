#include "engine/native_head.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/gradient_tile.h"
#include "engine/parts.h"
#include "engine/stopwatch.h"
#include "kernels/cross_entropy/cross_entropy.h"
#include "kernels/isa.h"

namespace quadgate {
namespace {

using kernels::ProductTarget;

std::vector<std::int64_t> all_rows(std::int64_t count) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(count));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace

NativeHead::NativeHead(const NetworkPlan& plan, const NativeCell& cell, Parameters& parameters)
    : model_(plan.model),
      features_(plan.model.rnn.output_size()),
      product_(cell.product),
      bias_(static_cast<std::size_t>(parts_of(model_.output_size, cell.lanes) * cell.lanes)),
      bias_values_(parameters.value(parameters.head_bias()).data()),
      weight_gradient_(parameters.gradients().data() + parameters.head_weight().offset),
      bias_gradient_(parameters.gradients().data() + parameters.head_bias().offset) {
  const float* weight = parameters.value(parameters.head_weight()).data();
  const auto rows = all_rows(model_.output_size);
  using Use = PackedMatrix::Use;
  for (auto& [matrix, use] : {std::pair{&forward_, Use::forward}, {&backward_, Use::backward}}) {
    *matrix = {weight, {.use = use, .columns = features_, .rows = rows, .width = cell.width()}};
  }
  const std::int64_t outputs = plan.batch_size * (at_every_step() ? plan.seq_len : 1);
  outputs_ = Buffer(static_cast<std::size_t>(outputs * model_.output_size));
  if (model_.task == Task::regression) {
    errors_.resize(static_cast<std::size_t>(outputs));
  } else {
    labels_.resize(static_cast<std::size_t>(outputs));
    losses_.resize(static_cast<std::size_t>(outputs));
    predictions_.resize(static_cast<std::size_t>(outputs));
  }
  if (!at_every_step()) {
    pooled_ = Buffer(static_cast<std::size_t>(plan.batch_size * features_));
    d_pooled_ = Buffer(pooled_.size());
  }
}

void NativeHead::pack(std::int64_t task) {
  if (task == 0) std::copy_n(bias_values_, model_.output_size, bias_.data());
  task < forward_.panels() ? forward_.pack(task) : backward_.pack(task - forward_.panels());
}

template <typename Body>
void NativeHead::for_each_piece(const NativeWork& work, Body body) const {
  if (!at_every_step()) {
    const auto share = work.member.share(work.last - work.first);
    return body(work.first + share.begin, share.end - share.begin);
  }
  const auto share = work.member.share(work.steps.seq_len());
  work.for_each_run(share.begin, share.end, body);
}

template <typename Body>
void NativeHead::for_each_final_state(const NativeWork& work, Body body) const {
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    body(work.steps.offset_at(work.steps.length(place) - 1) + place, 0, place);
    if (model_.rnn.bidirectional) body(place, model_.rnn.h_size(), place);  // ends at step 0
  }
}

void NativeHead::forward(const NativeWork& work, const PackedRows& y) {
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const PackedRows input = at_every_step() ? y : PackedRows{pooled_.data(), features_};
  if (!at_every_step()) {
    for_each_final_state(work, [&](std::int64_t row, std::int64_t feature, std::int64_t place) {
      std::copy_n(y.at(row) + feature, model_.rnn.h_size(), input.at(place) + feature);
    });
  }
  for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
    for (std::int64_t panel = 0; panel < forward_.panels(); ++panel) {
      const std::int64_t column = forward_.first_column(panel);
      product_(rows, features_,
               {.data = input.at(row),
                .row_stride = input.stride,
                .step = 1,
                .run = features_,
                .run_stride = 0},
               forward_.panel(panel),
               {.data = outputs_.data() + row * model_.output_size + column,
                .stride = model_.output_size,
                .columns = forward_.columns_of(panel),
                .start = ProductTarget::Start::bias,
                .bias = bias_.data() + column});
    }
  });
}

void NativeHead::load_labels(const NativeWork& work, const Batch& batch) {
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const auto in_batch = static_cast<std::size_t>(work.steps.row_in_batch(place));
    if (!at_every_step()) {
      labels_[static_cast<std::size_t>(place)] = batch.labels[in_batch];
      continue;
    }
    const std::int64_t* from = batch.labels.data() + batch.offsets[in_batch];
    for (std::int64_t t = 0; t < work.steps.length(place); ++t) {
      labels_[static_cast<std::size_t>(work.steps.offset_at(t) + place)] = from[t];
    }
  }
}

void NativeHead::loss(const NativeWork& work, const Batch& batch, float gradient_scale) {
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  if (model_.task != Task::regression) load_labels(work, batch);
  work.member.wait();  // the shares of forward, and of the labels, were others
  if (model_.task == Task::regression) {
    squared_errors(work, batch, gradient_scale);
  } else {
    const auto kernel = kernels::cross_entropy_kernel(kernels::active_isa());
    for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
      float* const outputs = outputs_.data() + row * model_.output_size;
      kernel({.rows = rows,
              .classes = model_.output_size,
              .logits = outputs,
              .labels = labels_.data() + row,
              .gradient_scale = gradient_scale,
              .gradient = gradient_scale == 0 ? nullptr : outputs,
              .losses = losses_.data() + row,
              .predictions = predictions_.data() + row});
    });
  }
  work.member.wait();
}

void NativeHead::squared_errors(const NativeWork& work, const Batch& batch, float gradient_scale) {
  const auto size = static_cast<std::size_t>(model_.output_size);
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    float* const outputs = outputs_.data() + place * model_.output_size;
    const auto target = static_cast<std::size_t>(work.steps.row_in_batch(place)) * size;
    errors_[static_cast<std::size_t>(place)] =
        squared_error({outputs, size}, std::span(batch.targets).subspan(target, size),
                      gradient_scale, gradient_scale == 0 ? nullptr : outputs);
  }
}

Metrics NativeHead::metrics(const PackedSteps& steps) const {
  Metrics sum;
  if (model_.task == Task::regression) {
    return std::accumulate(errors_.begin(), errors_.begin() + steps.rows(), sum,
                           [](Metrics total, const Metrics& row) { return total += row; });
  }
  sum.items = at_every_step() ? steps.size() : steps.rows();
  for (std::size_t row = 0; std::cmp_less(row, sum.items); ++row) {
    sum.loss += losses_[row];
    sum.correct += predictions_[row] == labels_[row] ? 1 : 0;
  }
  return sum;
}

void NativeHead::backward(const NativeWork& work, const PackedRows& dy) {
  const Stopwatch stopwatch(work.times, Phase::head_and_loss);
  const PackedRows target = at_every_step() ? dy : PackedRows{d_pooled_.data(), features_};
  for_each_piece(work, [&](std::int64_t row, std::int64_t rows) {
    for (std::int64_t panel = 0; panel < backward_.panels(); ++panel) {
      const std::int64_t column = backward_.first_column(panel);
      product_(rows, model_.output_size,
               {.data = outputs_.data() + row * model_.output_size,
                .row_stride = model_.output_size,
                .step = 1,
                .run = model_.output_size,
                .run_stride = 0},
               backward_.panel(panel),
               {.data = target.at(row) + column,
                .stride = target.stride,
                .columns = backward_.columns_of(panel),
                .start = ProductTarget::Start::zero,
                .bias = nullptr});
    }
  });
  if (!at_every_step()) {
    const auto share = work.member.share(work.last - work.first);
    for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
      for (std::int64_t t = 0; t < work.steps.length(place); ++t) {
        std::fill_n(dy.at(work.steps.offset_at(t) + place), features_, 0.0F);
      }
    }
    for_each_final_state(work, [&](std::int64_t row, std::int64_t feature, std::int64_t place) {
      std::copy_n(target.at(place) + feature, model_.rnn.h_size(), dy.at(row) + feature);
    });
  }
  work.member.wait();
}

void NativeHead::gradient(std::int64_t task, const PackedSteps& steps, const PackedRows& y) {
  const std::int64_t depth = at_every_step() ? steps.size() : steps.rows();
  if (task == 0) {
    std::fill_n(bias_gradient_, model_.output_size, 0.0F);
    for (std::int64_t row = 0; row < depth; ++row) {
      const float* d = outputs_.data() + row * model_.output_size;
      for (std::int64_t i = 0; i < model_.output_size; ++i) bias_gradient_[i] += d[i];
    }
    return;
  }
  const std::int64_t panel = task - 1;
  const std::int64_t column = backward_.first_column(panel);
  const std::array<const float*, 1> left{outputs_.data()};
  const GradientTile tile{.depth = depth,
                          .left = left,
                          .left_width = model_.output_size,
                          .right = at_every_step() ? y : PackedRows{pooled_.data(), features_},
                          .right_rows = nullptr,
                          .first_column = column,
                          .columns = backward_.columns_of(panel),
                          .target_stride = features_};
  std::array<GradientTile::Block, 1> block{
      {{.rows = model_.output_size, .target = weight_gradient_ + column}}};
  compute(tile, block);
}

double NativeHead::gradient_square() const noexcept {
  return sum_of_squares(weight_gradient_, model_.output_size, features_, features_) +
         sum_of_squares(bias_gradient_, 1, model_.output_size, model_.output_size);
}

void NativeHead::copy_outputs(const NativeWork& work, const Batch& batch,
                              std::span<float> outputs) const {
  const std::int64_t size = model_.output_size;
  work.member.wait();  // the shares of forward were others
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const std::int64_t in_batch = work.steps.row_in_batch(place);
    if (!at_every_step()) {
      std::copy_n(outputs_.data() + place * size, size, outputs.data() + in_batch * size);
      continue;
    }
    const std::int64_t first = batch.offsets[static_cast<std::size_t>(in_batch)];
    for (std::int64_t t = 0; t < work.steps.length(place); ++t) {
      std::copy_n(outputs_.data() + (work.steps.offset_at(t) + place) * size, size,
                  outputs.data() + (first + t) * size);
    }
  }
}

}  // namespace quadgate
