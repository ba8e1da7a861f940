#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "io/data/time_step.h"
#include "io/importers/timestamp.h"

namespace quadgate {

/// How a column of a table writes times.
class TimeFormat {
 public:
  TimeFormat() = default;
  /// Tells it from the first values of the column; missing ones do not count. Numbers are dates
  /// like 20160701 if all are, else seconds, milliseconds, microseconds or nanoseconds since 1970
  /// by their size, else days as spreadsheets count them (10000 to 99999: 1927 to 2173), else
  /// numbers. Of dates with their year behind, `order` or a day above 12 tells what is first.
  explicit TimeFormat(std::span<const std::string_view> first_values,
                      std::optional<DateOrder> order = {});

  /// Seconds since 1970 in UTC, or the number where they are no times; empty for all else.
  std::optional<double> parse(std::string_view text) const;
  /// The time that an option gives, in the unit of `parse`: a date in any form, or as the column
  /// has it. Empty if it is none of them.
  std::optional<double> parse_border(std::string_view text) const;
  /// A time as the column writes them, or as ISO 8601: without the time of the day if `step` is one
  /// of whole days and it is midnight. Numbers are rounded to millionths.
  std::string write(double time, const TimeStep& step) const;
  /// A result of `parse`, for people.
  std::string format(double time) const;
  /// The format of that `name`, as a Recipe keeps it; one of text for others.
  static TimeFormat of_name(std::string_view name);
  /// "dates", "milliseconds since 1970", ..., for people.
  std::string_view name() const;
  /// Whether they are dates like 1/7/2016, of which no value tells whether day or month is first.
  bool is_ambiguous() const noexcept { return kind_ == Kind::day_or_month_first; }
  /// Whether they are dates that need a DateOrder.
  bool has_year_last() const noexcept {
    return is_ambiguous() || kind_ == Kind::day_first || kind_ == Kind::month_first;
  }
  /// Whether results of `parse` are seconds.
  bool is_calendar() const noexcept { return kind_ > Kind::numbers; }
  /// Whether it counts days, in numbers that may also be others.
  bool is_of_days() const noexcept { return kind_ == Kind::days; }

 private:
  enum class Kind : std::uint8_t {
    text,
    day_or_month_first,
    numbers,
    dates,
    day_first,
    month_first,
    compact_dates,
    seconds,
    milliseconds,
    microseconds,
    nanoseconds,
    days
  };
  struct Unit {
    Kind kind = Kind::numbers;
    double from = 0;         // the numbers that are such times
    double to = 0;           // are below this
    double in_a_second = 1;  // how many of it
    double epoch = 0;        // 1970 in it
  };
  static std::span<const std::string_view> names();
  static std::span<const Unit> units();
  static Kind kind_of_number(double least, double most);
  std::optional<double> parse_epoch(std::string_view text) const;

  Kind kind_ = Kind::text;
  bool has_zone_ = false;  // a date in the first values says its zone
};

}  // namespace quadgate
