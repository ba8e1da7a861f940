#include "engine/model/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/base/error.h"
#include "engine/base/nan.h"
#include "kernels/base/isa.h"
#include "kernels/loss/cross_entropy/cross_entropy.h"

namespace quadgate {
namespace {

void expect_size(const char* field, std::int64_t expected, std::size_t found) {
  if (!std::cmp_equal(expected, found)) {
    throw InvalidArgument(fmt::format("{}: expected {} values, found {}", field, expected, found));
  }
}

}  // namespace

Metrics& Metrics::operator+=(const Metrics& other) noexcept {
  items += other.items;
  loss += other.loss;
  weight += other.weight;
  squared_error += other.squared_error;
  absolute_error += other.absolute_error;
  correct += other.correct;
  return *this;
}

Loss::Loss(const ModelConfig& model)
    : isa_(kernels::active_isa()),
      config_(model.loss),
      kind_(config_.kind_for(model.task)),
      task_(model.task),
      crf_(model.crf),
      output_size_(model.output_size),
      label_weights_(config_.class_weights) {
  const double smoothing = config_.label_smoothing;
  if (smoothing == 0) return;
  const auto classes = static_cast<std::size_t>(output_size_);
  if (label_weights_.empty()) label_weights_.assign(classes, 1);
  double sum = 0;
  for (float& weight : label_weights_) {
    const double share = smoothing * weight / static_cast<double>(classes);
    smoothing_.push_back(static_cast<float>(share));
    sum += share;
    weight = static_cast<float>((1 - smoothing) * weight);
  }
  smoothing_sum_ = static_cast<float>(sum);
}

void Loss::expect_targets(const Batch& batch) const {
  if (task_ == Task::regression) {
    expect_size("batch targets", batch.rows() * output_size_ / config_.outputs_per_target(),
                batch.targets.size());
    if (kind_ != LossKind::bce) return;
    for (const float target : batch.targets) {
      if (!(target >= 0 && target <= 1)) {
        throw DataError(fmt::format("target: expected 0 to 1 for the loss bce, found {}",
                                    without_nan_sign(target)));
      }
    }
    return;
  }
  expect_size("batch labels", task_ == Task::tagging ? batch.steps() : batch.rows(),
              batch.labels.size());
  for (const std::int64_t label : batch.labels) {
    if (crf_ && (label < 0 || label >= output_size_)) {
      throw DataError(fmt::format("label: expected 0 to {} at every step for a crf, found {}",
                                  output_size_ - 1, label));
    }
    if ((label < 0 || label >= output_size_) && label != config_.ignore_index) {
      throw DataError(fmt::format("label: expected 0 to {} or ignore_index ({}), found {}",
                                  output_size_ - 1, config_.ignore_index, label));
    }
  }
}

std::int64_t Loss::items(std::span<const std::int64_t> labels) const noexcept {
  return std::ranges::count_if(labels,
                               [&](std::int64_t label) { return label != config_.ignore_index; });
}

double Loss::weight(std::span<const std::int64_t> labels) const noexcept {
  const auto& weights = config_.class_weights;
  if (weights.empty()) return static_cast<double>(items(labels));
  double sum = 0;
  for (const std::int64_t label : labels) {
    if (label != config_.ignore_index) sum += weights[static_cast<std::size_t>(label)];
  }
  return sum;
}

double Loss::weight(const Batch& batch) const noexcept {
  if (task_ != Task::regression) return weight(batch.labels);
  const std::int64_t outputs = batch.rows() * output_size_;
  return static_cast<double>(kind_ == LossKind::pinball ? outputs
                                                        : outputs / config_.outputs_per_target());
}

void Loss::run(const Rows& rows, float gradient_scale, float* gradient) const noexcept {
  const auto kernel = kernels::cross_entropy_kernel(isa_);
  const std::int64_t width = rows.panel_width > 0 ? rows.panel_width : output_size_;
  kernel({.rows = rows.rows,
          .classes = output_size_,
          .row_stride = width,
          .run = width,
          .run_stride = rows.panel_stride,
          .logits = rows.logits,
          .labels = rows.labels,
          .ignore_index = config_.ignore_index,
          .label_weights = label_weights_.empty() ? nullptr : label_weights_.data(),
          .smoothing = smoothing_.empty() ? nullptr : smoothing_.data(),
          .smoothing_sum = smoothing_sum_,
          .gradient_scale = gradient_scale,
          .gradient = gradient,
          .losses = rows.losses,
          .predictions = rows.predictions});
}

Metrics Loss::sum(const Rows& rows) const noexcept {
  const std::span labels(rows.labels, static_cast<std::size_t>(rows.rows));
  Metrics metrics;
  metrics.items = items(labels);
  metrics.weight = weight(labels);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::int64_t label = rows.labels[row];
    const bool counts = label != config_.ignore_index;
    metrics.loss += rows.losses[row];
    metrics.correct += counts && rows.predictions[row] == label ? 1 : 0;
  }
  return metrics;
}

Metrics Loss::of_labels(const float* logits, std::span<const std::int64_t> labels,
                        float gradient_scale, float* gradient) const noexcept {
  constexpr std::int64_t kPiece = 64;
  std::array<float, kPiece> losses{};
  std::array<std::int64_t, kPiece> predictions{};
  Metrics metrics;
  const auto count = static_cast<std::int64_t>(labels.size());
  for (std::int64_t first = 0; first < count; first += kPiece) {
    const Rows rows{.rows = std::min(kPiece, count - first),
                    .logits = logits + first * output_size_,
                    .labels = labels.data() + first,
                    .losses = losses.data(),
                    .predictions = predictions.data()};
    run(rows, gradient_scale, gradient == nullptr ? nullptr : gradient + first * output_size_);
    metrics += sum(rows);
  }
  return metrics;
}

Metrics Loss::of_batch(const Batch& batch, std::span<const float> outputs) const noexcept {
  return task_ == Task::regression ? of_values(outputs, batch.targets, 0, nullptr)
                                   : of_labels(outputs.data(), batch.labels, 0, nullptr);
}

}  // namespace quadgate
