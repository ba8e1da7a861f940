#include "io/importers/resampler.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/error.h"

namespace quadgate {

double parse_time_step(std::string_view text) {
  using Unit = std::pair<std::string_view, double>;
  constexpr std::array kStepUnits{Unit{"s", 1}, Unit{"min", 60}, Unit{"h", 3600}, Unit{"d", 86400}};
  std::int64_t count = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit = text.substr(static_cast<std::size_t>(rest - text.data()));
  constexpr std::int64_t kMost = 1'000'000'000;
  for (const auto& [name, seconds] : kStepUnits) {
    if (error == std::errc() && unit == name && count > 0 && count <= kMost) {
      return static_cast<double>(count) * seconds;
    }
  }
  throw InvalidArgument(
      fmt::format("--resample: expected a step like 30s, 15min, 1h or 1d, found '{}'", text));
}

std::string Resampler::add(std::size_t series, double time, std::span<const double> row) {
  constexpr std::int64_t kMostEmpty = 10'000'000;  // a larger gap is a mistake
  if (series >= steps_.size()) steps_.resize(series + 1);
  const auto number = static_cast<std::int64_t>(std::floor(time / step_));
  if (steps_[series].rows > 0 && number != steps_[series].number) {
    if (number < steps_[series].number) {
      return "a time in or behind the step of the row before (--resample)";
    }
    const std::int64_t last = steps_[series].number;
    if (number - last > kMostEmpty) {
      return fmt::format("at most {} steps without a row before it (--resample), not {}",
                         kMostEmpty, number - last - 1);
    }
    end(series);
    for (std::int64_t empty = last + 1; empty < number; ++empty) {
      row_.assign(columns_, std::numeric_limits<double>::quiet_NaN());
      output_(series, static_cast<double>(empty) * step_, row_);
    }
  }
  Step& step = steps_[series];
  step.number = number;
  step.sums.resize(columns_);
  step.counts.resize(columns_);
  ++step.rows;
  for (std::size_t i = 0; i < columns_; ++i) {
    if (std::isnan(row[i])) continue;
    step.sums[i] += row[i];
    ++step.counts[i];
  }
  return {};
}

void Resampler::finish() {
  for (std::size_t series = 0; series < steps_.size(); ++series) end(series);
}

void Resampler::end(std::size_t series) {
  Step& step = steps_[series];
  if (step.rows == 0) return;
  row_.clear();
  for (std::size_t i = 0; i < columns_; ++i) {
    row_.push_back(step.counts[i] > 0 ? step.sums[i] / static_cast<double>(step.counts[i])
                                      : std::numeric_limits<double>::quiet_NaN());
  }
  const double time = static_cast<double>(step.number) * step_;
  step = {};
  output_(series, time, row_);
}

}  // namespace quadgate
