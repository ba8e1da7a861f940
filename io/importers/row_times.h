#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/data/time_step.h"
#include "io/importers/time_format.h"

namespace quadgate {

/// How far the times of rows are from each other.
class TimeSteps {
 public:
  /// Takes the times of a row and of the row before it.
  void add(double last, double time);

  /// The step of the rows: of times, also months or weekdays, if all of them are so far apart.
  TimeStep step(bool is_calendar) const;
  /// How many there are: rows with a row before them.
  std::int64_t size() const noexcept { return all_; }
  /// Rows that are not `step` behind the row before.
  std::int64_t others(const TimeStep& step) const;
  std::int64_t doubles() const noexcept { return doubles_; }
  /// The most frequent step; 0 if there is none.
  double usual() const;
  /// Steps that are longer than the usual one by half of it or more.
  std::int64_t gaps() const;

 private:
  using Months = std::map<std::int64_t, std::int64_t>;  // how often rows are so many months apart

  void add_months(double last, double time);
  void add_days(double last, double time);
  static std::int64_t most_frequent(const Months& months);

  std::unordered_map<double, std::int64_t> counts_;
  std::int64_t doubles_ = 0;
  std::int64_t all_ = 0;
  std::int64_t forward_ = 0;
  Months months_;
  Months month_ends_;
  std::int64_t over_weekends_ = 0;  // from Friday to Monday
  bool has_weekend_ = false;        // a row is of a Saturday or Sunday
};

/// The times of a table's rows: the split that a row falls into, and what is odd about them.
class RowTimes {
 public:
  /// Rows from these times on are of the valid and of the test split; empty: no border.
  RowTimes(std::string valid_from, std::string test_from)
      : borders_{Border{"--valid-from", std::move(valid_from)},
                 Border{"--test-from", std::move(test_from)}} {}

  bool has_borders() const noexcept {
    return !borders_[0].text.empty() || !borders_[1].text.empty();
  }
  /// Begins the rows of a file, whose column writes times like this. Throws InvalidArgument if the
  /// borders are no such times, or not in order.
  void begin(const std::filesystem::path& path, std::string_view column, const TimeFormat& format);
  /// Takes the time of the next row of a series. Returns what was expected of it instead, or
  /// nothing.
  std::string add(std::size_t series, double time);
  /// What is expected instead of `time` of the next row of a series, which is to be `step` behind
  /// the latest one before it, or, if no step is known, any time behind it; empty if it is so.
  std::string expected_next(std::size_t series, double time, const TimeStep& step) const;
  /// The split of a time: 0 train, 1 valid, 2 test.
  std::size_t split_of(double time) const;
  /// Throws InvalidArgument if borders leave a split without rows.
  void expect_all_splits() const;

  const TimeFormat& format() const noexcept { return format_; }
  /// Rows whose time is before that of the row before.
  std::int64_t steps_back() const noexcept { return steps_back_; }
  const TimeSteps& steps() const noexcept { return steps_; }
  /// "from 2016-07-01 to 2016-07-05", of all rows.
  std::string range() const;

 private:
  static constexpr double kNoTime = -std::numeric_limits<double>::infinity();
  struct Border {
    const char* option;
    std::string text;
    std::optional<double> time{};
  };
  struct Last {
    double time = kNoTime;
    double latest = kNoTime;
    std::size_t split = 0;
  };
  [[noreturn]] void fail(const Border& border, std::string_view problem) const;

  std::array<Border, 2> borders_;
  std::filesystem::path path_;
  TimeFormat format_;
  std::vector<Last> last_;              // by series
  std::array<std::int64_t, 3> rows_{};  // by split
  double first_ = -kNoTime;
  double end_ = kNoTime;
  std::int64_t steps_back_ = 0;
  TimeSteps steps_;
};

}  // namespace quadgate
