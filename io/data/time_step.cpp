#include "io/data/time_step.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

namespace quadgate {
namespace {

using std::chrono::year_month_day;
using std::chrono::year_month_day_last;

constexpr double kDay = 86400;

/// A time as its day and the seconds of it.
struct DayAndTime {
  explicit DayAndTime(double time)
      : date(std::chrono::sys_days(
            std::chrono::days(static_cast<std::int64_t>(std::floor(time / kDay))))),
        seconds(time - std::floor(time / kDay) * kDay) {}

  bool is_last_of_month() const { return date.day() == last_of(date).day(); }
  static year_month_day last_of(const year_month_day& date) {
    return year_month_day_last(date.year(), std::chrono::month_day_last(date.month()));
  }

  year_month_day date;
  double seconds;
};

bool is_calendar_time(double time) { return std::abs(time) <= kLatestTime; }

double seconds_of(const year_month_day& date, double seconds) {
  return static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count()) * kDay +
         seconds;
}

std::int64_t months_between(const year_month_day& from, const year_month_day& to) {
  return 12 * static_cast<std::int64_t>((to.year() - from.year()).count()) +
         static_cast<std::int64_t>(static_cast<unsigned>(to.month())) -
         static_cast<std::int64_t>(static_cast<unsigned>(from.month()));
}

double months_after(double time, std::int64_t months, bool at_the_end) {
  constexpr std::int64_t kMost = 12 * 9999;  // a year has 16 bits
  const DayAndTime from(time);
  if (months > kMost) return std::numeric_limits<double>::infinity();
  year_month_day date = from.date + std::chrono::months(months);
  if (at_the_end || !date.ok()) date = DayAndTime::last_of(date);
  return seconds_of(date, from.seconds);
}

double weekdays_after(double time, std::int64_t days) {
  constexpr std::int64_t kOfWeek = 5;
  constexpr double kWeek = 7 * kDay;
  const std::int64_t weeks = (days - 1) / kOfWeek;  // from a weekday to the same one
  for (days -= weeks * kOfWeek; days > 0; --days) {
    do {
      time += kDay;
    } while (weekday_of(time) == 0 || weekday_of(time) == 6);
  }
  return time + static_cast<double>(weeks) * kWeek;
}

struct NamedUnit {
  std::string_view name;
  TimeStep::Unit unit = TimeStep::Unit::seconds;
  double size = 1;
};

constexpr std::array<NamedUnit, 8> kUnits{{{"d", TimeStep::Unit::seconds, kDay},
                                           {"h", TimeStep::Unit::seconds, 3600},
                                           {"min", TimeStep::Unit::seconds, 60},
                                           {"s", TimeStep::Unit::seconds, 1},
                                           {" month", TimeStep::Unit::months, 1},
                                           {" month end", TimeStep::Unit::month_ends, 1},
                                           {" weekday", TimeStep::Unit::weekdays, 1},
                                           {"", TimeStep::Unit::numbers, 1}}};

}  // namespace

bool are_close(double a, double b) noexcept {
  constexpr double kRounding = 4e-6;
  return std::abs(a - b) <= kRounding + 1e-12 * std::abs(a);
}

double time_after(double time, const TimeStep& step, std::int64_t steps) {
  const double count = step.count * static_cast<double>(steps);
  const bool is_plain =
      step.unit == TimeStep::Unit::numbers || step.unit == TimeStep::Unit::seconds;
  if (is_plain || !is_calendar_time(time)) return time + count;
  const auto whole = static_cast<std::int64_t>(count);
  if (step.unit == TimeStep::Unit::weekdays) return weekdays_after(time, whole);
  return months_after(time, whole, step.unit == TimeStep::Unit::month_ends);
}

std::string to_string(const TimeStep& step) {
  if (!step.is_known()) return "";
  for (const NamedUnit& unit : kUnits) {
    const double count = step.count / unit.size;
    const bool is_last = unit.size == 1;
    if (unit.unit != step.unit || (count != std::floor(count) && !is_last)) continue;
    return fmt::format("{}{}{}", count, unit.name,
                       unit.name.starts_with(' ') && count != 1 ? "s" : "");
  }
  return "";
}

std::optional<TimeStep> time_step_from_text(std::string_view text) {
  double count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || !std::isfinite(count) || count <= 0) return {};
  std::string_view name = text.substr(static_cast<std::size_t>(end - text.data()));
  if (name.starts_with(' ') && name.ends_with('s')) name.remove_suffix(1);
  for (const NamedUnit& unit : kUnits) {
    const bool is_whole = unit.unit == TimeStep::Unit::numbers ||
                          unit.unit == TimeStep::Unit::seconds ||
                          (count == std::floor(count) && count < 1e5);
    if (unit.name == name && is_whole) return TimeStep{unit.unit, count * unit.size};
  }
  return {};
}

std::int64_t whole_months(double from, double to) {
  if (!is_calendar_time(from) || !is_calendar_time(to)) return 0;
  const DayAndTime a(from);
  const DayAndTime b(to);
  return a.date.day() == b.date.day() && a.seconds == b.seconds ? months_between(a.date, b.date)
                                                                : 0;
}

std::int64_t whole_month_ends(double from, double to) {
  if (!is_calendar_time(from) || !is_calendar_time(to)) return 0;
  const DayAndTime a(from);
  const DayAndTime b(to);
  return a.is_last_of_month() && b.is_last_of_month() && a.seconds == b.seconds
             ? months_between(a.date, b.date)
             : 0;
}

int weekday_of(double time) {
  if (!is_calendar_time(time)) return 0;
  const auto day = static_cast<std::int64_t>(std::floor(time / kDay));
  return static_cast<int>((day % 7 + 7 + 4) % 7);  // 1970-01-01 was a Thursday
}

int day_of_month(double time) {
  return is_calendar_time(time)
             ? static_cast<int>(static_cast<unsigned>(DayAndTime(time).date.day()))
             : 1;
}

}  // namespace quadgate
