#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/model/config.h"

namespace quadgate::apps {

/// The quantiles that are told of a distribution, unless others are asked for.
inline constexpr std::array<double, 3> kBandLevels{0.1, 0.5, 0.9};

/// What a model that knows how sure it is tells of a value beside its point: quantiles, and of a
/// distribution its scale and df.
class Bands {
 public:
  /// `levels` are the quantiles to tell, rising: of a distribution any, of quantiles some of those
  /// that it was trained for. Empty: kBandLevels, or all that it was trained for. Throws
  /// InvalidArgument, naming --quantiles, if the model has no such ones.
  Bands(const ModelConfig& model, std::vector<double> levels);

  /// "scale", "df", "q0.1", ...; none of a model of points.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// What the point forecast is: "mean" or "q0.5".
  const std::string& point() const noexcept { return point_; }
  /// Appends them, a number a name, of the head's outputs for a value. Original values are
  /// value * std + mean.
  void append(std::span<const float> outputs, double mean, double std, std::vector<double>& to);
  /// Of how many values a quantile was below one of a lower level.
  std::int64_t crossed() const noexcept { return crossed_; }

 private:
  void choose_outputs(const std::vector<float>& trained, const std::vector<double>& levels);

  LossKind kind_;
  std::vector<std::string> names_;
  std::string point_;
  std::vector<double> levels_;        // of a distribution
  std::vector<double> standard_;      // quantiles of a standard Gaussian at the levels
  std::vector<std::size_t> outputs_;  // of pinball: which are told
  std::int64_t crossed_ = 0;
};

}  // namespace quadgate::apps
