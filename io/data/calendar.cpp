#include "io/data/calendar.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

#include "io/data/time_step.h"

namespace quadgate {
namespace {

constexpr double kSecondsOfDay = 86400;

constexpr std::array<std::string_view, 6> kParts{"minute", "hour",      "weekday",
                                                 "day",    "dayofyear", "month"};

/// Where a time lies in the period of a part, 0 to below 1.
double phase(std::string_view part, double time) {
  constexpr double kMinute = 60;
  constexpr double kHour = 3600;
  const double day = std::floor(time / kSecondsOfDay);
  const double seconds = time - day * kSecondsOfDay;
  const std::chrono::sys_days days{std::chrono::days(static_cast<std::int64_t>(day))};
  const std::chrono::year_month_day date(days);
  if (part == "minute") return std::fmod(std::floor(seconds / kMinute), 60) / 60;
  if (part == "hour") return std::floor(seconds / kHour) / 24;
  if (part == "weekday") return (weekday_of(time) + 6) % 7 / 7.0;
  if (part == "day") return (static_cast<unsigned>(date.day()) - 1) / 31.0;
  if (part == "month") return (static_cast<unsigned>(date.month()) - 1) / 12.0;
  const std::chrono::sys_days new_year{date.year() / std::chrono::January / 1};
  return static_cast<double>((days - new_year).count()) / 365.25;
}

}  // namespace

std::span<const std::string_view> calendar_parts() { return kParts; }

bool is_calendar_part(std::string_view name) {
  return std::ranges::find(kParts, name) != kParts.end();
}

std::vector<std::string> calendar_names(std::span<const std::string> parts) {
  std::vector<std::string> names;
  for (const std::string& part : parts) {
    names.push_back(part + "_sin");
    names.push_back(part + "_cos");
  }
  return names;
}

void calendar_values(std::span<const std::string> parts, double time, std::span<double> out) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double angle = 2 * std::numbers::pi * phase(parts[i], time);
    out[2 * i] = std::sin(angle);
    out[2 * i + 1] = std::cos(angle);
  }
}

}  // namespace quadgate
