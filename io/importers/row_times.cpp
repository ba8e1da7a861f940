#include "io/importers/row_times.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "io/data/recipe.h"

namespace quadgate {
namespace {

constexpr double kOneDay = 86400;
constexpr double kWeekend = 3 * kOneDay;  // from Friday to Monday
constexpr double kShortestMonth = 28 * kOneDay;

}  // namespace

void TimeSteps::add(double last, double time) {
  constexpr std::size_t kMost = 4096;  // different ones: no step is usual then
  // A difference of doubles is 0.1 but for rounding, each time another.
  const double step = std::round((time - last) * kTimesInOne) / kTimesInOne;
  ++all_;
  if (step == 0) ++doubles_;
  if (step <= 0) return;
  ++forward_;
  if (step >= kShortestMonth) add_months(last, time);
  if (step <= kWeekend) add_days(last, time);
  if (const auto found = counts_.find(step); found != counts_.end()) {
    ++found->second;
  } else if (counts_.size() < kMost) {
    counts_.emplace(step, 1);
  }
}

void TimeSteps::add_months(double last, double time) {
  if (const std::int64_t months = whole_months(last, time); months > 0) ++months_[months];
  if (const std::int64_t months = whole_month_ends(last, time); months > 0) ++month_ends_[months];
}

void TimeSteps::add_days(double last, double time) {
  if (time - last == kWeekend && weekday_of(last) == 5) ++over_weekends_;
  const int day = weekday_of(time);
  has_weekend_ = has_weekend_ || day == 0 || day == 6;
}

std::int64_t TimeSteps::most_frequent(const Months& months) {
  return std::ranges::max_element(months, {}, &Months::value_type::second)->first;
}

TimeStep TimeSteps::step(bool is_calendar) const {
  const double usual = this->usual();
  if (!is_calendar) return {TimeStep::Unit::numbers, usual};
  const auto are_all = [&](const Months& months) {
    std::int64_t rows = 0;
    for (const auto& [count, of_it] : months) rows += of_it;
    return rows > 0 && rows == forward_;
  };
  const auto step_of = [](TimeStep::Unit unit, const Months& months) {
    return TimeStep{unit, static_cast<double>(most_frequent(months))};
  };
  if (are_all(months_)) return step_of(TimeStep::Unit::months, months_);
  if (are_all(month_ends_)) return step_of(TimeStep::Unit::month_ends, month_ends_);
  if (usual == kOneDay && over_weekends_ > 0 && !has_weekend_) return {TimeStep::Unit::weekdays, 1};
  return {TimeStep::Unit::seconds, usual};
}

std::int64_t TimeSteps::others(const TimeStep& step) const {
  const auto count_in = [&](const auto& counts, double key) {
    std::int64_t rows = 0;
    for (const auto& [its, of_it] : counts) {
      if (are_close(static_cast<double>(its), key)) rows += of_it;
    }
    return rows;
  };
  switch (step.unit) {
    case TimeStep::Unit::months:
      return all_ - count_in(months_, step.count);
    case TimeStep::Unit::month_ends:
      return all_ - count_in(month_ends_, step.count);
    case TimeStep::Unit::weekdays:
      return all_ - count_in(counts_, kOneDay) - over_weekends_;
    default:
      return all_ - count_in(counts_, step.count);
  }
}

double TimeSteps::usual() const {
  const auto usual = std::ranges::max_element(counts_, {}, [](const auto& count) {
    return std::pair(count.second, -count.first);  // the shorter one of two
  });
  return usual == counts_.end() ? 0 : usual->first;
}

std::int64_t TimeSteps::gaps() const {
  constexpr double kGap = 1.5;
  std::int64_t gaps = 0;
  for (const double usual = this->usual(); const auto& [step, count] : counts_) {
    if (step >= kGap * usual) gaps += count;
  }
  return gaps;
}

void RowTimes::begin(const std::filesystem::path& path, std::string_view column,
                     const TimeFormat& format) {
  path_ = path;
  format_ = format;
  for (Border& border : borders_) {
    if (border.text.empty()) continue;
    border.time = format.parse_border(border.text);
    if (border.time) continue;
    fail(border, format.is_calendar()
                     ? fmt::format("expected a time like 2016-07-01 13:30, found '{}'", border.text)
                     : fmt::format("expected times, found {} in column '{}', which are no dates",
                                   format.name(), column));
  }
  if (borders_[0].time && borders_[1].time && *borders_[1].time < *borders_[0].time) {
    fail(borders_[1], "expected a time not before --valid-from");
  }
}

std::string RowTimes::add(std::size_t series, double time) {
  constexpr double kClocks = 7200;  // that clocks go back by at most, in autumn
  if (series >= last_.size()) last_.resize(series + 1);
  Last& last = last_[series];
  if (last.time != kNoTime) steps_.add(last.time, time);
  const bool is_back = time < last.time;
  if (is_back) ++steps_back_;
  const std::size_t split = split_of(time);
  if (has_borders() && is_back && !(format_.is_calendar() && time >= last.time - kClocks)) {
    return "a time not before that of the row before";
  }
  if (split < last.split) {
    return "no time before a border behind one after it (clocks may have gone back: give times a "
           "zone, or the border another place)";
  }
  last = {time, std::max(time, last.latest), split};
  ++rows_.at(split);
  first_ = std::min(first_, time);
  end_ = std::max(end_, time);
  return {};
}

std::string RowTimes::expected_next(std::size_t series, double time, const TimeStep& step) const {
  if (series >= last_.size() || last_[series].latest == kNoTime) return {};
  const double last = last_[series].latest;
  if (!step.is_known()) {
    return time > last ? "" : fmt::format("a time behind {}", format_.write(last, step));
  }
  const double next = time_after(last, step);
  if (are_close(time, next)) return {};
  return fmt::format("{}, {} behind the latest row before it", format_.write(next, step),
                     to_string(step));
}

std::size_t RowTimes::split_of(double time) const {
  if (borders_[1].time && time >= *borders_[1].time) return 2;
  return borders_[0].time && time >= *borders_[0].time ? 1 : 0;
}

void RowTimes::expect_all_splits() const {
  const auto& [valid, test] = borders_;
  if (test.time && rows_[2] == 0) fail(test, "no row reaches it; the times are " + range());
  if (valid.time && rows_[1] == 0) {
    fail(valid, rows_[2] == 0 ? "no row reaches it; the times are " + range()
                              : "no row is from it to --test-from; the times are " + range());
  }
  if (has_borders() && rows_[0] == 0) {
    fail(valid.time ? valid : test, "every row reaches it; the times are " + range());
  }
}

std::string RowTimes::range() const {
  return fmt::format("from {} to {}", format_.format(first_), format_.format(end_));
}

void RowTimes::fail(const Border& border, std::string_view problem) const {
  throw InvalidArgument(
      fmt::format("{}: {} {}: {}", path_.string(), border.option, border.text, problem));
}

}  // namespace quadgate
