#include "apps/model/probabilistic_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "apps/model/bands.h"
#include "engine/model/distribution.h"

namespace quadgate::apps {

ProbabilisticErrors::ProbabilisticErrors(const ModelConfig& model)
    : kind_(model.loss.kind_for(model.task)), quantiles_(model.loss.quantiles) {
  if (kind_ == LossKind::gaussian || kind_ == LossKind::student_t) {
    for (const double level : kBandLevels) quantiles_.push_back(static_cast<float>(level));
  }
  covered_.resize(quantiles_.size());
}

void ProbabilisticErrors::add(std::span<const float> outputs, std::span<const float> targets) {
  if (quantiles_.empty()) return;
  targets_ += static_cast<std::int64_t>(targets.size());
  const std::size_t each = outputs.size() / std::max<std::size_t>(targets.size(), 1);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto of_target = outputs.subspan(i * each, each);
    const auto target = static_cast<double>(targets[i]);
    const bool is_pinball = kind_ == LossKind::pinball;
    const Distribution distribution =
        is_pinball ? Distribution() : distribution_of(kind_, of_target);
    const double probability = is_pinball ? 0 : cumulative(distribution, target);
    if (!is_pinball) crps_ += crps(distribution, target);
    for (std::size_t number = 0; number < quantiles_.size(); ++number) {
      const double quantile = quantiles_[number];
      const double error = is_pinball ? target - static_cast<double>(of_target[number]) : 0;
      if (is_pinball ? error <= 0 : probability <= quantile) ++covered_[number];
      crps_ += 2 * std::max(quantile * error, (quantile - 1) * error) /
               static_cast<double>(quantiles_.size());
    }
  }
}

std::vector<std::pair<std::string, double>> ProbabilisticErrors::named() const {
  if (quantiles_.empty()) return {};
  const auto count = static_cast<double>(targets_);
  std::vector<std::pair<std::string, double>> named{{"crps", crps_ / count}};
  for (std::size_t number = 0; number < quantiles_.size(); ++number) {
    named.emplace_back(fmt::format("coverage_q{}", quantiles_[number]),
                       static_cast<double>(covered_[number]) / count);
  }
  return named;
}

}  // namespace quadgate::apps
