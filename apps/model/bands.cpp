#include "apps/model/bands.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/distribution.h"

namespace quadgate::apps {
namespace {

void expect_levels(const std::vector<double>& levels) {
  double before = 0;
  for (const double level : levels) {
    if (!(level > before && level < 1)) {
      throw InvalidArgument(
          fmt::format("--quantiles: expected rising numbers above 0 and below 1, found {}", level));
    }
    before = level;
  }
}

}  // namespace

Bands::Bands(const ModelConfig& model, std::vector<double> levels)
    : kind_(model.loss.kind_for(model.task)) {
  expect_levels(levels);
  const std::vector<std::string> outputs = model.loss.output_names();
  if (outputs.empty()) {
    if (levels.empty()) return;
    throw InvalidArgument(fmt::format(
        "--quantiles: expected a model with the loss pinball, gaussian or student_t, found {}",
        to_string(kind_)));
  }
  point_ = outputs[static_cast<std::size_t>(model.loss.point())];
  if (kind_ == LossKind::pinball) {
    choose_outputs(model.loss.quantiles, levels);
    return;
  }
  names_.assign(outputs.begin() + 1, outputs.end());  // the mean is the point
  levels_ =
      levels.empty() ? std::vector(kBandLevels.begin(), kBandLevels.end()) : std::move(levels);
  for (const double level : levels_) {
    names_.push_back(fmt::format("q{}", level));
    standard_.push_back(quantile({}, level));
  }
}

void Bands::choose_outputs(const std::vector<float>& trained, const std::vector<double>& levels) {
  for (std::size_t i = 0; i < trained.size(); ++i) {
    if (levels.empty()) outputs_.push_back(i);
  }
  for (const double level : levels) {
    const auto found = std::ranges::find(trained, static_cast<float>(level));
    if (found == trained.end()) {
      throw InvalidArgument(
          fmt::format("--quantiles: expected some of {}, which the model was trained for, found {}",
                      fmt::join(trained, ", "), level));
    }
    outputs_.push_back(static_cast<std::size_t>(found - trained.begin()));
  }
  for (const std::size_t output : outputs_) names_.push_back(fmt::format("q{}", trained[output]));
}

void Bands::append(std::span<const float> outputs, double mean, double std,
                   std::vector<double>& to) {
  if (names_.empty()) return;
  if (kind_ == LossKind::pinball) {
    const auto first = std::ssize(to);
    for (const std::size_t output : outputs_) {
      to.push_back(static_cast<double>(outputs[output]) * std + mean);
    }
    if (!std::is_sorted(to.begin() + first, to.end())) ++crossed_;
    return;
  }
  const Distribution standardized = distribution_of(kind_, outputs);
  const Distribution its{standardized.mean * std + mean, standardized.scale * std, standardized.df};
  to.push_back(its.scale);
  if (its.df > 0) to.push_back(its.df);
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    to.push_back(its.df > 0 ? quantile(its, levels_[i]) : its.mean + its.scale * standard_[i]);
  }
}

}  // namespace quadgate::apps
