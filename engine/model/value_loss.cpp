#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "engine/model/distribution.h"
#include "engine/model/loss.h"

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

}  // namespace

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
