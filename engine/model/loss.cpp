#include "engine/model/loss.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/distribution.h"
#include "kernels/base/isa.h"
#include "kernels/loss/cross_entropy/cross_entropy.h"

namespace quadgate {
namespace {

/// What there is of one element: its error, its loss, and the loss's derivative by the output.
struct Element {
  float error;
  double loss;
  float slope;
};

Element squared(float output, float target) noexcept {
  const float error = output - target;
  return {error, static_cast<double>(error) * error, 2 * error};
}

Element absolute(float output, float target) noexcept {
  const float error = output - target;
  return {error, std::abs(error), error > 0 ? 1.0F : error < 0 ? -1.0F : error};
}

Element huber(float output, float target, double delta) noexcept {
  const float error = output - target;
  const double size = std::abs(static_cast<double>(error));
  const auto bound = static_cast<float>(delta);
  return {error, size < delta ? 0.5 * size * size : delta * (size - 0.5 * delta),
          error > bound    ? bound
          : error < -bound ? -bound
                           : error};
}

float sigmoid(float output) noexcept {
  const float power = std::exp(-std::abs(output));
  return (output < 0 ? power : 1.0F) / (1.0F + power);
}

/// -target log(sigmoid) - (1 - target) log(1 - sigmoid), without overflow.
Element binary_cross_entropy(float output, float target) noexcept {
  const float error = sigmoid(output) - target;
  const double z = output;
  return {error, std::max(z, 0.0) - z * target + std::log1p(std::exp(-std::abs(z))), error};
}

template <typename ElementOf>
Metrics sum_elements(std::span<const float> outputs, std::span<const float> targets,
                     float gradient_scale, float* gradient, ElementOf element_of) noexcept {
  Metrics metrics;
  metrics.items = static_cast<std::int64_t>(outputs.size());
  metrics.weight = static_cast<double>(metrics.items);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Element element = element_of(outputs[i], targets[i]);
    metrics.loss += element.loss;
    metrics.squared_error += static_cast<double>(element.error) * element.error;
    metrics.absolute_error += std::abs(element.error);
    if (gradient != nullptr) gradient[i] = element.slope * gradient_scale;
  }
  return metrics;
}

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
        throw DataError(fmt::format("target: expected 0 to 1 for the loss bce, found {}", target));
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
  kernel({.rows = rows.rows,
          .classes = output_size_,
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

/// Sums over the targets. slopes_of(outputs of a target, target, their derivatives) returns its
/// loss.
template <typename Slopes>
Metrics Loss::sum_targets(std::span<const float> outputs, std::span<const float> targets,
                          float gradient_scale, float* gradient, Slopes slopes_of) const noexcept {
  const auto each = static_cast<std::size_t>(config_.outputs_per_target());
  const auto point = static_cast<std::size_t>(config_.point());
  Metrics metrics;
  metrics.items = static_cast<std::int64_t>(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto of_target = outputs.subspan(i * each, each);
    const double error = static_cast<double>(of_target[point]) - targets[i];
    metrics.squared_error += error * error;
    metrics.absolute_error += std::abs(error);
    metrics.loss += slopes_of(of_target, targets[i], [&](std::size_t number, double slope) {
      if (gradient != nullptr) {
        gradient[i * each + number] = static_cast<float>(slope) * gradient_scale;
      }
    });
  }
  return metrics;
}

Metrics Loss::of_quantiles(std::span<const float> outputs, std::span<const float> targets,
                           float gradient_scale, float* gradient) const noexcept {
  Metrics metrics =
      sum_targets(outputs, targets, gradient_scale, gradient,
                  [&](std::span<const float> of_target, float target, auto set) {
                    double loss = 0;
                    for (std::size_t number = 0; number < of_target.size(); ++number) {
                      const double quantile = config_.quantiles[number];
                      const double error = static_cast<double>(target) - of_target[number];
                      loss += std::max(quantile * error, (quantile - 1) * error);
                      set(number, error > 0 ? -quantile : error < 0 ? 1 - quantile : error);
                    }
                    return loss;
                  });
  metrics.weight = static_cast<double>(outputs.size());
  return metrics;
}

Metrics Loss::of_distributions(std::span<const float> outputs, std::span<const float> targets,
                               float gradient_scale, float* gradient) const noexcept {
  Metrics metrics = sum_targets(
      outputs, targets, gradient_scale, gradient,
      [&](std::span<const float> of_target, float target, auto set) {
        std::array<double, 3> slopes{};
        const Distribution distribution = distribution_of(kind_, of_target);
        const double loss = negative_log_likelihood(distribution, of_target, target, slopes);
        for (std::size_t number = 0; number < of_target.size(); ++number) {
          set(number, slopes[number]);
        }
        return loss;
      });
  metrics.weight = static_cast<double>(targets.size());
  return metrics;
}

Metrics Loss::of_values(std::span<const float> outputs, std::span<const float> targets,
                        float gradient_scale, float* gradient) const noexcept {
  const auto sum = [&](auto element_of) {
    return sum_elements(outputs, targets, gradient_scale, gradient, element_of);
  };
  switch (kind_) {
    case LossKind::mae:
      return sum(absolute);
    case LossKind::huber:
      return sum([delta = config_.huber_delta](float output, float target) noexcept {
        return huber(output, target, delta);
      });
    case LossKind::bce:
      return sum(binary_cross_entropy);
    case LossKind::pinball:
      return of_quantiles(outputs, targets, gradient_scale, gradient);
    case LossKind::gaussian:
    case LossKind::student_t:
      return of_distributions(outputs, targets, gradient_scale, gradient);
    case LossKind::mse:
    case LossKind::cross_entropy:
      break;
  }
  return sum(squared);
}

Metrics Loss::of_batch(const Batch& batch, std::span<const float> outputs) const noexcept {
  return task_ == Task::regression ? of_values(outputs, batch.targets, 0, nullptr)
                                   : of_labels(outputs.data(), batch.labels, 0, nullptr);
}

float Loss::value(float output, std::int64_t number) const noexcept {
  if (kind_ == LossKind::bce) return sigmoid(output);
  if (kind_ != LossKind::gaussian && kind_ != LossKind::student_t) return output;
  const std::array<float, 3> outputs{output, output, output};
  const Distribution distribution = distribution_of(kind_, outputs);
  return static_cast<float>(number == 0   ? distribution.mean
                            : number == 1 ? distribution.scale
                                          : distribution.df);
}

std::vector<float> Loss::points(std::span<const float> outputs) const {
  const std::int64_t number = config_.point();
  std::vector<float> points;
  for (auto i = static_cast<std::size_t>(number); i < outputs.size();
       i += static_cast<std::size_t>(config_.outputs_per_target())) {
    points.push_back(value(outputs[i], number));
  }
  return points;
}

}  // namespace quadgate
