#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/model/config.h"

namespace quadgate::apps {

/// How well forecasts of quantiles or of a distribution fit the targets, in the model's units.
class ProbabilisticErrors {
 public:
  /// Of a model for regression.
  explicit ProbabilisticErrors(const ModelConfig& model);

  /// Adds targets, and the head's outputs for them.
  void add(std::span<const float> outputs, std::span<const float> targets);

  /// "crps", the mean continuous ranked probability score: of a distribution, or of quantiles twice
  /// the mean pinball loss; and for each quantile (of a distribution 0.1, 0.5 and 0.9)
  /// "coverage_q0.1", the share of the targets that do not lie above it. Empty for other losses.
  std::vector<std::pair<std::string, double>> named() const;

 private:
  LossKind kind_;
  std::vector<float> quantiles_;
  std::vector<std::int64_t> covered_;  // of each quantile
  double crps_ = 0;                    // sum
  std::int64_t targets_ = 0;
};

}  // namespace quadgate::apps
