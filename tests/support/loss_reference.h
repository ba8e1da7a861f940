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
/// regression, or of their quantiles.
inline double reference_weight(const ModelConfig& config, const Batch& batch, std::size_t row) {
  if (config.task == Task::regression) {
    return static_cast<double>(config.loss.kind == LossKind::pinball ? config.output_size
                                                                     : config.target_size());
  }
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

/// log(Gamma(x)) by Lanczos' approximation, g = 7.
template <typename T>
T log_gamma(T x) {
  constexpr double kTerms[] = {0.99999999999980993,  676.5203681218851,     -1259.1392167224028,
                               771.32342877765313,   -176.61502916214059,   12.507343278686905,
                               -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7};
  T sum = kTerms[0];
  for (int i = 1; i < 9; ++i) sum += kTerms[i] / (x + static_cast<double>(i - 1));
  const T t = x + 6.5;
  return 0.5 * std::log(2 * M_PI) + (x - 0.5) * std::log(t) - t + std::log(sum);
}

template <typename T>
T softplus_plus(T x, double least) {
  return std::log(1.0 + std::exp(x)) + least;
}

/// The loss of the outputs for one target.
template <typename T>
T target_loss(const ModelConfig& config, const T* outputs, double target) {
  const LossKind kind = config.loss.kind_for(config.task);
  T loss = 0;
  if (kind == LossKind::pinball) {
    for (const float quantile : config.loss.quantiles) {
      const T error = target - *outputs++;
      loss += (std::real(error) < 0 ? quantile - 1.0 : static_cast<double>(quantile)) * error;
    }
    return loss;
  }
  if (kind != LossKind::gaussian && kind != LossKind::student_t) {
    return value_loss(config, *outputs, target);
  }
  const T scale = softplus_plus(outputs[1], 1e-6);
  const T z = (target - outputs[0]) / scale;
  if (kind == LossKind::gaussian) {
    return 0.5 * z * z + std::log(scale) + 0.5 * std::log(2 * M_PI);
  }
  const T df = softplus_plus(outputs[2], 2);
  return log_gamma(0.5 * df) - log_gamma(0.5 * (df + 1.0)) + 0.5 * std::log(M_PI * df) +
         std::log(scale) + 0.5 * (df + 1.0) * std::log(1.0 + z * z / df);
}

/// The loss of one row of outputs, by the definition in PyTorch's documentation.
template <typename T>
T row_loss(const ModelConfig& config, const Batch& batch, std::size_t row,
           const std::vector<T>& outputs) {
  T loss = 0;
  if (config.task == Task::regression) {
    const auto each = static_cast<std::size_t>(config.loss.outputs_per_target());
    const std::size_t targets = outputs.size() / each;
    for (std::size_t i = 0; i < targets; ++i) {
      loss += target_loss(config, &outputs[i * each], batch.targets[row * targets + i]);
    }
    return loss;
  }
  if (batch.labels[row] == config.loss.ignore_index) return loss;
  T sum = 0;
  for (const T& output : outputs) sum += std::exp(output);
  const T log_sum = std::log(sum);
  const double smoothing = config.loss.label_smoothing;
  for (std::size_t c = 0; c < outputs.size(); ++c) {
    const double share = smoothing / static_cast<double>(outputs.size()) +
                         (std::cmp_equal(c, batch.labels[row]) ? 1 - smoothing : 0);
    const double weight = config.loss.class_weights.empty() ? 1 : config.loss.class_weights[c];
    loss += share * weight * (log_sum - outputs[c]);
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
