#include "io/importers/tsf.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/missing_values.h"
#include "io/importers/text.h"
#include "io/importers/timestamp.h"
#include "io/importers/ts_lines.h"

namespace quadgate {
namespace {

struct Frequency {
  std::string_view name;
  std::string_view many;  // as in "10_minutes"
  TimeStep step;
};

constexpr double kSecondsADay = 86400;

constexpr std::array<Frequency, 8> kFrequencies{
    {{"secondly", "seconds", {TimeStep::Unit::seconds, 1}},
     {"minutely", "minutes", {TimeStep::Unit::seconds, 60}},
     {"hourly", "hours", {TimeStep::Unit::seconds, 3600}},
     {"daily", "days", {TimeStep::Unit::seconds, kSecondsADay}},
     {"weekly", "weeks", {TimeStep::Unit::seconds, 7 * kSecondsADay}},
     {"monthly", "months", {TimeStep::Unit::months, 1}},
     {"quarterly", "quarters", {TimeStep::Unit::months, 3}},
     {"yearly", "years", {TimeStep::Unit::months, 12}}}};

/// The step of "hourly", "half_hourly" or "10_minutes"; empty for other words.
std::optional<TimeStep> step_of_frequency(std::string_view text) {
  constexpr int kMost = 100'000;
  if (text == "half_hourly") return step_of_frequency("30_minutes");
  int count = 1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const bool has_count = error == std::errc();
  if (has_count) text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (const auto& [name, many, step] : kFrequencies) {
    if (!has_count && text == name) return step;
    const bool has_unit = text.starts_with('_') && text.substr(1) == many;
    if (has_count && has_unit && count > 0 && count < kMost) {
      return TimeStep{step.unit, count * step.count};
    }
  }
  return {};
}

/// "2016-07-01 13-30-00" as seconds since 1970; ':' stands between attributes.
std::optional<double> parse_start(std::string_view text) {
  std::string date(text);
  const std::size_t day_end = std::min(date.find_first_of(" T"), date.size());
  const bool has_hour_alone = day_end < date.size() && date.find('-', day_end) == std::string::npos;
  if (has_hour_alone) return {};  // of "13:30"
  std::replace(date.begin() + static_cast<std::ptrdiff_t>(day_end), date.end(), '-', ':');
  return parse_timestamp(date);
}

/// Reads a .tsf file line by line into `series_`.
class TsfReader {
 public:
  TsfReader(const std::filesystem::path& path, MissingPolicy missing, const ImportOptions& options)
      : lines_(path, options), missing_(missing), series_(path, options.spool) {
    series_.feature_names = {"value"};
  }

  TsfData read(const SpoolOptions& spool) {
    bool in_data = false;
    for (std::string_view line; !in_data && lines_.next(line);) in_data = read_header(line);
    for (std::string_view line; lines_.next(line);) read_series(line);
    if (series_.parts.empty()) {
      throw FileError(series_.path.string() + ": expected series after a line @data, found none");
    }
    TsfData data{.series = Series(), .recipe = {}, .without_times = add_times()};
    const bool has_times = series_.times.size() > 0;
    data.series = fill_missing(std::move(series_), missing_, spool);
    data.recipe = {.kind = "tsf",
                   .time_format = "dates",
                   .missing = std::string(to_string(missing_)),
                   .step = data.without_times.empty() ? step_ : TimeStep(),
                   .other_steps = has_times ? data.series.dropped_rows : 0};
    return data;
  }

 private:
  // True if this is the line @data.
  bool read_header(std::string_view line) {
    auto [tag, value] = lines_.tag_of(line);
    if (tag == "@attribute") {
      const std::string_view name = take_word(value);
      const std::string type = lower(value);
      if (name.empty() || (type != "string" && type != "date" && type != "numeric")) {
        lines_.fail("@attribute: expected a name and a type, string, date or numeric");
      }
      types_.push_back(type);
      if (type == "date" && std::ranges::count(types_, type) > 1) {
        lines_.fail(
            fmt::format("@attribute {}: expected one date, that of the first value, "
                        "found a second",
                        name));
      }
    }
    if (tag == "@frequency") frequency_ = lower(value);
    if (tag == "@data") take_step();
    return tag == "@data";
  }

  // Of series without a date no other word is wrong.
  void take_step() {
    const auto step = step_of_frequency(frequency_);
    if (!step && !frequency_.empty() && std::ranges::count(types_, "date") > 0) {
      lines_.fail(
          fmt::format("@frequency: expected hourly, daily, weekly, monthly, quarterly, yearly, "
                      "half_hourly, 10_minutes or the like, found '{}'",
                      frequency_));
    }
    step_ = step.value_or(TimeStep());
  }

  void read_series(std::string_view line) {
    std::string name;
    for (const std::string& type : types_) {
      if (line.find(':') == std::string_view::npos) {
        lines_.fail(fmt::format(
            "expected {} attributes with ':' behind each, as the header has them", types_.size()));
      }
      const std::string_view attribute = trim(cut(line, ':'));
      if (type == "string") name.append(name.empty() ? "" : "/").append(attribute);
      if (type == "date") add_start(attribute);
    }
    if (line.find(':') != std::string_view::npos) {
      lines_.fail(
          fmt::format("expected values behind {} attributes, found another ':'", types_.size()));
    }
    if (name.empty()) name = std::to_string(series_.parts.size());
    if (!names_.insert(name).second) {
      lines_.fail(
          fmt::format("expected names that differ from each other, found '{}' twice", name));
    }
    std::int64_t rows = 0;
    for (bool goes_on = true; goes_on; ++rows) {
      goes_on = line.find(',') != std::string_view::npos;
      add_value(trim(cut(line, ',')));
    }
    series_.parts.push_back({.name = std::move(name), .rows = {rows, 0, 0}});
  }

  void add_start(std::string_view field) {
    const auto start = parse_start(field);
    if (!start) {
      lines_.fail(fmt::format("expected a date like 2016-07-01 13-30-00, found '{}'", field));
    }
    starts_.push_back(*start);
  }

  // Fills the times of the series, if they can be told, or returns why not.
  std::string add_times() {
    if (starts_.empty()) return "";
    if (!step_.is_known()) return "no line @frequency tells how far they are from each other";
    if (step_.unit == TimeStep::Unit::months) {
      constexpr int kInAllMonths = 28;
      const auto is_last = [](double start) { return day_of_month(start + kSecondsADay) == 1; };
      const auto is_in_all = [](double start) { return day_of_month(start) <= kInAllMonths; };
      if (std::ranges::all_of(starts_, is_last)) {
        step_.unit = TimeStep::Unit::month_ends;
      } else if (!std::ranges::all_of(starts_, is_in_all)) {
        return "some series start after day 28 of a month, but not all on the last day of one";
      }
    }
    for (std::size_t i = 0; i < starts_.size(); ++i) add_times_of(series_.parts[i], starts_[i]);
    return "";
  }

  void add_times_of(const SeriesPart& part, double start) {
    if (time_after(start, step_, part.size() - 1) > kLatestTime) {
      throw FileError(
          fmt::format("{}: series '{}': {} values, one every {}, go beyond the year "
                      "9999",
                      series_.path.string(), part.name, part.size(), to_string(step_)));
    }
    for (std::int64_t row = 0; row < part.size(); ++row) {
      series_.times.append(std::array{time_after(start, step_, row)});
    }
  }

  void add_value(std::string_view field) {
    const auto number = parse_number(field);
    if (!number && (!is_missing(field) || missing_ == MissingPolicy::error)) {
      lines_.fail(fmt::format("expected a number, found '{}'{}", field,
                              is_missing(field) ? way_out_of_missing("tsf") : ""));
    }
    const std::array value{number.value_or(std::numeric_limits<double>::quiet_NaN())};
    series_.x.append(value);
  }

  TsLines lines_;
  MissingPolicy missing_;
  std::vector<std::string> types_;  // by attribute
  std::string frequency_;
  TimeStep step_;
  std::vector<double> starts_;  // by series; or none
  std::unordered_set<std::string> names_;
  Series series_;
};

}  // namespace

TsfData read_tsf(const std::filesystem::path& path, MissingPolicy missing,
                 const ImportOptions& options) {
  return TsfReader(path, missing, options).read(options.spool);
}

}  // namespace quadgate
