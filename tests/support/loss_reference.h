#pragma once

#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"

namespace quadgate::testing {

/// The class weight of the row's label, 0 if it does not count; the number of values in a
/// regression.
inline double reference_weight(const ModelConfig& config, const Batch& batch, std::size_t row) {
  if (config.task == Task::regression) return static_cast<double>(config.output_size);
  const auto& loss = config.loss;
  const std::int64_t label = batch.labels[row];
  if (label == loss.ignore_index) return 0;
  return loss.class_weights.empty() ? 1 : loss.class_weights[static_cast<std::size_t>(label)];
}

namespace detail {

template <typename T>
T value_loss(const ModelConfig& config, T output, double target) {
  const T error = output - target;
  const T size = std::real(error) < 0 ? -error : error;
  const double delta = config.loss.huber_delta;
  switch (config.loss.kind_for(config.task)) {
    case LossKind::mae:
      return size;
    case LossKind::huber:
      return std::real(size) < delta ? 0.5 * size * size : delta * (size - 0.5 * delta);
    case LossKind::bce: {
      const T sigmoid = 1.0 / (1.0 + std::exp(-output));
      return -target * std::log(sigmoid) - (1 - target) * std::log(1.0 - sigmoid);
    }
    default:
      return error * error;
  }
}

/// The loss of one row of outputs, by the definition in PyTorch's documentation.
template <typename T>
T row_loss(const ModelConfig& config, const Batch& batch, std::size_t row,
           const std::vector<T>& outputs) {
  T loss = 0;
  if (config.task == Task::regression) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      loss += value_loss(config, outputs[i], batch.targets[row * outputs.size() + i]);
    }
    return loss;
  }
  if (batch.labels[row] == config.loss.ignore_index) return loss;
  T sum = 0;
  for (const T& output : outputs) sum += std::exp(output);
  const double smoothing = config.loss.label_smoothing;
  for (std::size_t c = 0; c < outputs.size(); ++c) {
    const double share = smoothing / static_cast<double>(outputs.size()) +
                         (std::cmp_equal(c, batch.labels[row]) ? 1 - smoothing : 0);
    const double weight = config.loss.class_weights.empty() ? 1 : config.loss.class_weights[c];
    loss += share * weight * (std::log(sum) - outputs[c]);
  }
  return loss;
}

}  // namespace detail

/// The loss of one row of outputs, a sum over its items. The gradient, by complex steps, replaces
/// `outputs`.
inline double reference_loss(const ModelConfig& config, const Batch& batch, std::size_t row,
                             std::vector<double>& outputs) {
  constexpr double kStep = 1e-30;
  const std::vector<std::complex<double>> at(outputs.begin(), outputs.end());
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    auto beside = at;
    beside[i] += std::complex<double>(0, kStep);
    outputs[i] = detail::row_loss(config, batch, row, beside).imag() / kStep;
  }
  return detail::row_loss(config, batch, row, at).real();
}

}  // namespace quadgate::testing
