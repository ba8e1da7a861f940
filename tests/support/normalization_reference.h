#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/parameters.h"

namespace quadgate::testing {

/// A model's normalization in double, by the definition of RevIN's published code; derivatives by
/// complex steps.
class NormalizationReference {
 public:
  NormalizationReference(const ModelConfig& config, const Parameters& parameters,
                         const Batch& batch)
      : config_(config), batch_(batch), width_(static_cast<std::size_t>(config.input_size())) {
    if (!config.normalization.is_affine()) return;
    weight_ = &parameters.slice("norm.affine_weight");
    bias_ = &parameters.slice("norm.affine_bias");
    const auto weight = parameters.value(*weight_);
    const auto bias = parameters.value(*bias_);
    affine_ = {{weight.begin(), weight.end()}, {bias.begin(), bias.end()}};
  }

  /// The features [sum of lengths, I].
  std::vector<double> features() const {
    std::vector<double> all;
    for_each_feature(
        [&](std::size_t row, std::size_t i) { all.push_back(feature(affine_, row, i).real()); });
    return all;
  }

  /// Adds what the features' derivative gives of the parameters' gradients.
  void backward_features(const std::vector<double>& d, std::span<double> gradients) const {
    for_each_feature([&](std::size_t row, std::size_t i) {
      for_each_parameter(i % width_, [&](const Affine& beside, std::size_t place) {
        gradients[place] += d[i] * feature(beside, row, i).imag() / kStep;
      });
    });
  }

  /// What becomes of the head's outputs for a row.
  std::vector<double> restored(const std::vector<double>& outputs, std::size_t row) const {
    std::vector<double> values;
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      values.push_back(output(affine_, row, o, outputs[o]).real());
    }
    return values;
  }

  /// Makes `d`, the derivative of what restored gives, that of the head's outputs, and adds what it
  /// gives of the parameters' gradients.
  void backward_outputs(const std::vector<double>& outputs, std::size_t row, std::vector<double>& d,
                        std::span<double> gradients) const {
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      if (weight_ != nullptr) {
        for_each_parameter(column(o), [&](const Affine& beside, std::size_t place) {
          gradients[place] += d[o] * output(beside, row, o, outputs[o]).imag() / kStep;
        });
      }
      d[o] *= output(affine_, row, o, {outputs[o], kStep}).imag() / kStep;
    }
  }

 private:
  using Number = std::complex<double>;
  struct Affine {
    std::vector<Number> weight, bias;
  };
  static constexpr double kStep = 1e-30;
  static constexpr double kEps = 1e-5;

  std::size_t column(std::size_t output) const {
    const auto each = static_cast<std::size_t>(config_.loss.outputs_per_target());
    const auto& columns = config_.normalization.columns;
    return static_cast<std::size_t>(columns[output / each % columns.size()]);
  }
  std::size_t offset(std::size_t row) const {
    return static_cast<std::size_t>(batch_.offsets[row]);
  }
  double x(std::size_t step, std::size_t i) const { return batch_.x[step * width_ + i]; }

  /// Calls body(row, place of the feature in x).
  template <typename Body>
  void for_each_feature(Body body) const {
    for (std::size_t row = 0; row + 1 < batch_.offsets.size(); ++row) {
      for (std::size_t i = offset(row) * width_; i < offset(row + 1) * width_; ++i) body(row, i);
    }
  }
  /// Calls body(parameters with one of a column's moved along, its place in the flat array).
  template <typename Body>
  void for_each_parameter(std::size_t i, Body body) const {
    Affine beside = affine_;
    beside.weight[i] += Number(0, kStep);
    body(beside, weight_->offset + i);
    beside = affine_;
    beside.bias[i] += Number(0, kStep);
    body(beside, bias_->offset + i);
  }

  bool has_level(std::size_t i) const {
    const auto& without = config_.normalization.without_level;
    return std::ranges::find(without, static_cast<std::int64_t>(i)) == without.end();
  }
  double mean(std::size_t row, std::size_t i) const {
    if (!has_level(i)) return 0;
    double sum = 0;
    for (std::size_t step = offset(row); step < offset(row + 1); ++step) sum += x(step, i);
    return sum / static_cast<double>(offset(row + 1) - offset(row));
  }
  double std(std::size_t row, std::size_t i) const {
    if (!has_level(i)) return 1;
    double squares = 0;
    for (std::size_t step = offset(row); step < offset(row + 1); ++step) {
      squares += std::pow(x(step, i) - mean(row, i), 2);
    }
    return std::sqrt(squares / static_cast<double>(offset(row + 1) - offset(row)) + kEps);
  }
  double last(std::size_t row, std::size_t i) const {
    return has_level(i) ? x(offset(row + 1) - 1, i) : 0;
  }

  Number feature(const Affine& affine, std::size_t row, std::size_t place) const {
    const std::size_t i = place % width_;
    const double value = x(place / width_, i);
    if (config_.normalization.kind == Normalize::last) return value - last(row, i);
    return (value - mean(row, i)) / std(row, i) * affine.weight[i] + affine.bias[i];
  }
  Number output(const Affine& affine, std::size_t row, std::size_t o, Number value) const {
    const std::size_t i = column(o);
    const bool is_parameter = config_.loss.kind != LossKind::pinball;
    if (is_parameter && o % static_cast<std::size_t>(config_.loss.outputs_per_target()) > 0) {
      return value;  // a scale has no level
    }
    if (!config_.normalization.is_affine()) return value + last(row, i);
    return (value - affine.bias[i]) / (affine.weight[i] + kEps * kEps) * std(row, i) + mean(row, i);
  }

  const ModelConfig& config_;
  const Batch& batch_;
  std::size_t width_;
  const ParameterSlice* weight_ = nullptr;
  const ParameterSlice* bias_ = nullptr;
  Affine affine_;
};

}  // namespace quadgate::testing
