#include "engine/training/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/base/error.h"

namespace quadgate {
namespace {

using Kind = ScheduleConfig::Kind;

template <typename Number>
void expect(bool holds, const char* field, const char* expected, Number found) {
  if (!holds) {
    throw InvalidArgument(fmt::format("{}: expected {}, found {}", field, expected, found));
  }
}

void expect_finite(const char* field, double value, bool in_range, const char* expected) {
  expect(std::isfinite(value) && in_range, field, expected, value);
}

/// From start to end along half a cosine, as `part` goes from 0 to 1.
double anneal(double start, double end, double part) {
  return end + (start - end) / 2 * (1 + std::cos(std::numbers::pi * part));
}

void expect_count(const char* field, std::optional<std::int64_t> value, bool needed) {
  if (needed && !value) {
    throw InvalidArgument(fmt::format("{}: expected at least 1, found none", field));
  }
  expect(value.value_or(1) >= 1, field, "at least 1", value.value_or(1));
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::constant:
      return "constant";
    case Kind::step:
      return "step";
    case Kind::cosine:
      return "cosine";
    case Kind::one_cycle:
      return "one_cycle";
    case Kind::reduce_on_plateau:
      break;
  }
  return "reduce_on_plateau";
}

std::optional<Kind> parse_schedule(std::string_view text) noexcept {
  for (const auto kind :
       {Kind::constant, Kind::step, Kind::cosine, Kind::one_cycle, Kind::reduce_on_plateau}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

void validate(const ScheduleConfig& config) {
  const auto positive = [](const char* field, double value) {
    expect_finite(field, value, value > 0, "a finite number above 0");
  };
  const auto non_negative = [](const char* field, double value) {
    expect_finite(field, value, value >= 0, "a finite number, at least 0");
  };
  expect(config.warmup_steps >= 0, "warmup_steps", "at least 0", config.warmup_steps);
  expect_count("step_size", config.step_size, config.kind == Kind::step);
  positive("gamma", config.gamma);
  expect_count("T_max", config.t_max, config.kind == Kind::cosine);
  non_negative("eta_min", config.eta_min);
  if (config.max_lr) positive("max_lr", *config.max_lr);
  expect_count("total_steps", config.total_steps, config.kind == Kind::one_cycle);
  expect_finite("pct_start", config.pct_start, config.pct_start >= 0 && config.pct_start <= 1,
                "from 0 to 1");
  positive("div_factor", config.div_factor);
  positive("final_div_factor", config.final_div_factor);
  expect_finite("factor", config.factor, config.factor > 0 && config.factor < 1,
                "above 0 and below 1");
  expect(config.patience >= 0, "patience", "at least 0", config.patience);
  non_negative("threshold", config.threshold);
}

void Plateau::add(double loss, double threshold) noexcept {
  if (loss < best * (1 - threshold)) {
    best = loss;
    num_bad_epochs = 0;
  } else {
    ++num_bad_epochs;
  }
}

Schedule::Schedule(const ScheduleConfig& config, double lr) : config_(config), lr_(lr) {
  validate(config);
}

double Schedule::lr(std::int64_t epoch, std::int64_t step) const noexcept {
  const double warmth = step < config_.warmup_steps ? static_cast<double>(step + 1) /
                                                          static_cast<double>(config_.warmup_steps)
                                                    : 1.0;
  switch (config_.kind) {
    case Kind::constant:
      break;
    case Kind::step:
      return warmth * lr_ * std::pow(config_.gamma, epoch / *config_.step_size);
    case Kind::cosine:
      return warmth * anneal(lr_, config_.eta_min,
                             static_cast<double>(epoch) / static_cast<double>(*config_.t_max));
    case Kind::one_cycle:
      return warmth * one_cycle(step);
    case Kind::reduce_on_plateau:
      return warmth * lr_ * state_.lr_scale;
  }
  return warmth * lr_;
}

double Schedule::one_cycle(std::int64_t step) const noexcept {
  const double top = config_.max_lr.value_or(lr_);
  const double first = top / config_.div_factor;
  const double last = first / config_.final_div_factor;
  const auto total = static_cast<double>(*config_.total_steps);
  const double top_step = config_.pct_start * total - 1;
  const double last_step = total - 1;
  const double t = std::min(static_cast<double>(step), last_step);
  // A rise of no length is at its end.
  const auto part = [t](double from, double to) {
    return to > from ? (t - from) / (to - from) : 1;
  };
  return t <= top_step ? anneal(first, top, part(0, top_step))
                       : anneal(top, last, part(top_step, last_step));
}

void Schedule::finish_epoch(double loss) noexcept {
  if (config_.kind != Kind::reduce_on_plateau) return;
  state_.plateau.add(loss, config_.threshold);
  if (state_.plateau.num_bad_epochs <= config_.patience) return;
  state_.plateau.num_bad_epochs = 0;
  constexpr double kEps = 1e-8;  // ReduceLROnPlateau's: a smaller change is not made
  const double lr = lr_ * state_.lr_scale;
  if (lr - lr * config_.factor > kEps) state_.lr_scale *= config_.factor;
}

}  // namespace quadgate
