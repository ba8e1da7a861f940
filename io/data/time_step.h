#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quadgate {

/// 9999-12-31 23:59:59 in seconds since 1970, the last of calendar times.
inline constexpr double kLatestTime = 253402300799;

/// How far a row of a series is behind the row before it.
struct TimeStep {
  enum class Unit : std::uint8_t {
    numbers,     ///< of a column that counts in no known unit
    seconds,     ///< since 1970, as all units below
    months,      ///< on the same day, at the same time of it
    month_ends,  ///< on the last day of a month
    weekdays     ///< Monday to Friday
  };
  Unit unit = Unit::seconds;
  double count = 0;  ///< 0: no step is known

  bool is_known() const noexcept { return count > 0; }
  bool operator==(const TimeStep&) const = default;
};

/// Whether two times, or steps, are the same but for rounding to millionths.
bool are_close(double a, double b) noexcept;

/// The time `steps` steps behind `time`; of units of the calendar above kLatestTime where that is
/// passed.
double time_after(double time, const TimeStep& step, std::int64_t steps = 1);

/// "15min", "1 month", "3 month ends", "1 weekday" or, of numbers, "0.25"; empty if none is known.
std::string to_string(const TimeStep& step);

/// The inverse of to_string; empty for other texts.
std::optional<TimeStep> time_step_from_text(std::string_view text);

/// Months from one time to another, of the same day and time of the day; 0 for all others.
std::int64_t whole_months(double from, double to);
/// Months between two times of the last days of months, at the same time of the day; 0 for others.
std::int64_t whole_month_ends(double from, double to);
/// 0 is Sunday.
int weekday_of(double time);
/// 1 is the first.
int day_of_month(double time);

}  // namespace quadgate
