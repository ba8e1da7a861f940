#include "io/importers/csv_times.h"

#include <fmt/format.h>

#include "engine/base/error.h"
#include "io/importers/time_format.h"

namespace quadgate {

void CsvTimes::begin(const std::filesystem::path& path, const CsvColumns& columns,
                     CsvRecords first) {
  path_ = path;
  const bool needs_times = are_needed() || options_.date_order;
  if (!columns.time) {
    if (needs_times) fail_without_column();
    return;
  }
  column_ = columns.names[*columns.time];
  const TimeFormat format = times_of(first, columns, options_);
  if (options_.date_order && !format.has_year_last()) {
    throw InvalidArgument(
        fmt::format("{}: --date-order: expected dates like 1/7/2016, found {} in column '{}'",
                    path_.string(), format.name(), column_));
  }
  if (needs_times && format.is_ambiguous()) {
    throw InvalidArgument(
        fmt::format("{}: column '{}': dates like {} may have the day or the month first: say "
                    "--date-order day-first or month-first",
                    path_.string(), column_, time_values(first, columns).front()));
  }
  if ((is_resampled() || !options_.calendar.empty()) && !format.is_calendar()) {
    throw InvalidArgument(fmt::format("{}: {}: expected times, found {} in column '{}'",
                                      path_.string(), is_resampled() ? "--resample" : "--calendar",
                                      format.name(), column_));
  }
  rows_.begin(path_, column_, format);
}

std::optional<double> CsvTimes::read(std::size_t series, std::string_view text, std::int64_t line,
                                     bool is_future) {
  const auto expect = [&](const std::string& expected) {
    if (expected.empty()) return;
    throw FileError(fmt::format("{}:{}: column '{}': expected {}, found '{}'", path_.string(), line,
                                column_, expected, text));
  };
  const TimeFormat& format = rows_.format();
  const auto time = format.parse(text);
  if (time) {
    expect(zones_.add(text, path_, line));
    if (is_future && !is_resampled()) {
      expect(rows_.expected_next(series, *time, options_.future_step));
    }
    expect(rows_.add(series, *time));
    if (first_step_back_.empty() && rows_.steps_back() > 0) {
      first_step_back_ = fmt::format(
          "{}:{}: column '{}': expected rows in the order of time, found '{}' behind a later one",
          path_.string(), line, column_, text);
    }
  } else if (are_needed() || options_.has_step) {
    expect(format.is_calendar() ? fmt::format("a time ({}), as in the first rows", format.name())
                                : "a number, as in the first rows");
  }
  return time;
}

void CsvTimes::fail_without_column() const {
  const char* const use = is_resampled()              ? "to resample the rows by"
                          : rows_.has_borders()       ? "to divide the rows by"
                          : options_.calendar.empty() ? "for --date-order"
                                                      : "for --calendar";
  throw InvalidArgument(
      fmt::format("{}: expected a column of times {} (--time names it)", path_.string(), use));
}

}  // namespace quadgate
