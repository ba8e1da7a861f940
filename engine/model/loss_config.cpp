#include "engine/model/loss_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/config.h"

namespace quadgate {
namespace {

template <typename Value>
void expect_setting(bool holds, std::string_view field, std::string_view expected,
                    const Value& found) {
  if (!holds) {
    throw InvalidArgument(fmt::format("{}: expected {}, found {}", field, expected, found));
  }
}

void validate_class_weights(const std::vector<float>& weights, std::int64_t classes) {
  if (weights.empty()) return;
  expect_setting(std::cmp_equal(weights.size(), classes), "class_weights",
                 fmt::format("{} numbers, one a class", classes), weights.size());
  for (const float weight : weights) {
    expect_setting(std::isfinite(weight) && weight >= 0, "class_weights",
                   "finite numbers, at least 0", weight);
  }
  expect_setting(std::ranges::any_of(weights, [](float weight) { return weight > 0; }),
                 "class_weights", "at least one above 0", "none");
}

void validate_quantiles(const std::vector<float>& quantiles, LossKind kind) {
  if (kind != LossKind::pinball) {
    return expect_setting(quantiles.empty(), "quantiles", "only with the loss pinball",
                          to_string(kind));
  }
  float before = 0;
  for (const float quantile : quantiles) {
    expect_setting(quantile > before && quantile < 1, "quantiles",
                   "rising numbers above 0 and below 1", quantile);
    before = quantile;
  }
  expect_setting(!quantiles.empty(), "quantiles", "at least one with the loss pinball", "none");
}

}  // namespace

std::string_view to_string(LossKind kind) noexcept {
  switch (kind) {
    case LossKind::cross_entropy:
      return "cross_entropy";
    case LossKind::mse:
      return "mse";
    case LossKind::mae:
      return "mae";
    case LossKind::huber:
      return "huber";
    case LossKind::bce:
      return "bce";
    case LossKind::pinball:
      return "pinball";
    case LossKind::gaussian:
      return "gaussian";
    case LossKind::student_t:
      break;
  }
  return "student_t";
}

std::optional<LossKind> parse_loss(std::string_view text) noexcept {
  for (const auto kind :
       {LossKind::cross_entropy, LossKind::mse, LossKind::mae, LossKind::huber, LossKind::bce,
        LossKind::pinball, LossKind::gaussian, LossKind::student_t}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

LossKind LossConfig::kind_for(Task task) const noexcept {
  return kind.value_or(task == Task::regression ? LossKind::mse : LossKind::cross_entropy);
}

std::vector<std::string> LossConfig::output_names() const {
  std::vector<std::string> names;
  if (kind == LossKind::pinball) {
    for (const float quantile : quantiles) names.push_back(fmt::format("q{}", quantile));
  }
  if (kind == LossKind::gaussian) names = {"mean", "scale"};
  if (kind == LossKind::student_t) names = {"mean", "scale", "df"};
  return names;
}

std::int64_t LossConfig::outputs_per_target() const noexcept {
  if (kind == LossKind::pinball) return std::max<std::int64_t>(std::ssize(quantiles), 1);
  return kind == LossKind::gaussian ? 2 : kind == LossKind::student_t ? 3 : 1;
}

std::int64_t LossConfig::point() const noexcept {
  if (kind != LossKind::pinball || quantiles.empty()) return 0;
  const auto distance = [](float quantile) { return std::abs(quantile - 0.5F); };
  return std::ranges::min_element(quantiles, {}, distance) - quantiles.begin();
}

void validate(const LossConfig& config, Task task, std::int64_t output_size) {
  const bool regression = task == Task::regression;
  const LossKind kind = config.kind_for(task);
  const std::string_view name = to_string(kind);
  expect_setting((kind != LossKind::cross_entropy) == regression, "loss",
                 fmt::format("{} for {}",
                             regression ? "mse, mae, huber, bce, pinball, gaussian or student_t"
                                        : "cross_entropy",
                             to_string(task)),
                 name);
  const double delta = config.huber_delta;
  expect_setting(std::isfinite(delta) && delta > 0, "huber_delta", "a finite number above 0",
                 delta);
  expect_setting(delta == 1 || kind == LossKind::huber, "huber_delta", "only with the loss huber",
                 name);
  validate_quantiles(config.quantiles, kind);
  const std::int64_t each = config.outputs_per_target();
  expect_setting(output_size % each == 0, "output_size",
                 fmt::format("{} outputs a target with the loss {}", each, name), output_size);
  const double smoothing = config.label_smoothing;
  expect_setting(smoothing >= 0 && smoothing < 1, "label_smoothing", "at least 0 and below 1",
                 smoothing);
  if (kind == LossKind::cross_entropy) {
    return validate_class_weights(config.class_weights, output_size);
  }
  constexpr std::string_view kOnly = "only with the loss cross_entropy";
  expect_setting(smoothing == 0, "label_smoothing", kOnly, name);
  expect_setting(config.class_weights.empty(), "class_weights", kOnly, name);
  expect_setting(config.ignore_index == kIgnoreIndex, "ignore_index", kOnly, name);
}

}  // namespace quadgate
