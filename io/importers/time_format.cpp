#include "io/importers/time_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "io/importers/csv_dialect.h"
#include "io/importers/zone_use.h"

namespace quadgate {
namespace {

/// The name of dates that say their zone.
constexpr std::string_view kWithZone = "dates with a zone";

std::optional<double> parse_double(std::string_view text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || rest != end || !std::isfinite(number)) return {};
  return number;
}

constexpr double kMillion = 1e6;

double rounded(double number) { return std::round(number * kMillion) / kMillion; }

/// "2016-07-01" at midnight if days are whole, else "2016-07-01 13:30:00", or .250000 behind.
std::string iso_time(double time, const TimeStep& step) {
  constexpr double kDaySeconds = 86400;
  const bool counts_seconds = step.unit == TimeStep::Unit::seconds;
  const bool has_days = !counts_seconds || std::fmod(step.count, kDaySeconds) == 0;
  const double millionths = std::round(time * kMillion);
  const double whole = std::floor(millionths / kMillion);
  const double fraction = millionths - whole * kMillion;
  std::string text = format_timestamp(whole);
  if (has_days && fraction == 0 && std::fmod(whole, kDaySeconds) == 0) return text;
  constexpr std::size_t kDate = 10;
  constexpr std::size_t kMinutes = 16;
  if (text.size() == kDate) text += " 00:00";
  if (text.size() == kMinutes) text += ":00";
  if (fraction != 0 || (counts_seconds && step.count != std::floor(step.count))) {
    text += fmt::format(".{:06.0f}", fraction);
  }
  return text;
}

}  // namespace

TimeFormat::TimeFormat(std::span<const std::string_view> first_values,
                       std::optional<DateOrder> order) {
  bool may_be_day_first = true;
  bool may_be_month_first = true;
  bool all_compact = true;
  bool all_numbers = true;
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  std::size_t count = 0;
  for (const std::string_view value : first_values) {
    if (is_missing(value)) continue;
    ++count;
    if (parse_timestamp(value)) {
      kind_ = Kind::dates;
      has_zone_ = says_zone(value);
      return;
    }
    may_be_day_first = may_be_day_first && parse_timestamp(value, DateOrder::day_first);
    may_be_month_first = may_be_month_first && parse_timestamp(value, DateOrder::month_first);
    all_compact = all_compact && parse_compact_timestamp(value);
    const auto number = parse_double(value);
    all_numbers = all_numbers && number;
    least = std::min(least, number.value_or(least));
    most = std::max(most, number.value_or(most));
  }
  if (count > 0 && (may_be_day_first || may_be_month_first)) {
    const bool is_told = order || may_be_day_first != may_be_month_first;
    const bool is_day_first = order ? order == DateOrder::day_first : may_be_day_first;
    kind_ = !is_told       ? Kind::day_or_month_first
            : is_day_first ? Kind::day_first
                           : Kind::month_first;
  }
  if (count == 0 || !all_numbers) return;
  kind_ = all_compact ? Kind::compact_dates : kind_of_number(least, most);
}

std::span<const TimeFormat::Unit> TimeFormat::units() {
  static constexpr std::array<Unit, 5> kUnits{{{Kind::days, 1e4, 1e5, 1.0 / 86400, 25569},
                                               {Kind::seconds, 1e8, 1e11, 1},
                                               {Kind::milliseconds, 1e11, 1e14, 1e3},
                                               {Kind::microseconds, 1e14, 1e17, 1e6},
                                               {Kind::nanoseconds, 1e17, 1e19, 1e9}}};
  return kUnits;
}

TimeFormat::Kind TimeFormat::kind_of_number(double least, double most) {
  for (const Unit& unit : units()) {
    if (least >= unit.from && most < unit.to) return unit.kind;
  }
  return Kind::numbers;
}

std::optional<double> TimeFormat::parse(std::string_view text) const {
  if (kind_ == Kind::text || is_ambiguous()) return {};
  if (kind_ == Kind::dates) return parse_timestamp(text);
  if (kind_ == Kind::day_first) return parse_timestamp(text, DateOrder::day_first);
  if (kind_ == Kind::month_first) return parse_timestamp(text, DateOrder::month_first);
  if (kind_ == Kind::compact_dates) return parse_compact_timestamp(text);
  const auto number = parse_double(text);
  if (!number || kind_ == Kind::numbers) return number;
  const Unit& unit = *std::ranges::find(units(), kind_, &Unit::kind);
  if (*number < unit.from || *number >= unit.to) return {};  // of another unit
  const double seconds = (*number - unit.epoch) / unit.in_a_second;
  return kind_ == Kind::days ? std::round(seconds * 1e3) / 1e3 : seconds;  // written as rounded
}

std::optional<double> TimeFormat::parse_border(std::string_view text) const {
  if (kind_ == Kind::text || is_ambiguous()) return {};
  if (kind_ == Kind::numbers) return parse_double(text);
  constexpr std::size_t kYear = 4;
  const std::string month = std::string(text) + "-01";
  if (const auto time = parse_timestamp(text.size() == kYear ? month : text)) return time;
  if (const auto time = parse_compact_timestamp(text)) return time;
  if (kind_ == Kind::dates) return TimeFormat(std::array{text}).parse_epoch(text);
  return parse(text);
}

std::optional<double> TimeFormat::parse_epoch(std::string_view text) const {
  return kind_ > Kind::compact_dates && kind_ < Kind::days ? parse(text) : std::nullopt;
}

std::string TimeFormat::format(double time) const {
  return is_calendar() ? format_timestamp(time) : fmt::format("{}", time);
}

std::span<const std::string_view> TimeFormat::names() {
  static constexpr std::array<std::string_view, 12> kNames{"text",
                                                           "dates, day or month first",
                                                           "numbers",
                                                           "dates",
                                                           "dates, day first",
                                                           "dates, month first",
                                                           "dates as digits",
                                                           "seconds since 1970",
                                                           "milliseconds since 1970",
                                                           "microseconds since 1970",
                                                           "nanoseconds since 1970",
                                                           "days since 1899-12-30"};
  return kNames;
}

std::string TimeFormat::write(double time, const TimeStep& step) const {
  if (kind_ <= Kind::numbers) return fmt::format("{}", rounded(time));
  if (kind_ == Kind::compact_dates) {
    std::string digits = iso_time(time, step);
    std::erase_if(digits, [](char c) { return c < '0' || c > '9'; });
    return digits;
  }
  if (const auto unit = std::ranges::find(units(), kind_, &Unit::kind); unit != units().end()) {
    if (kind_ == Kind::days)
      return fmt::format("{}", rounded(time * unit->in_a_second + unit->epoch));
    const double in_millionth = kMillion / unit->in_a_second;
    const double number = std::round(time * kMillion) / in_millionth;
    return number == std::floor(number) ? fmt::format("{:.0f}", number) : fmt::format("{}", number);
  }
  return iso_time(time, step) + (has_zone_ ? "Z" : "");
}

std::string_view TimeFormat::name() const {
  return has_zone_ ? kWithZone : names()[static_cast<std::size_t>(kind_)];
}

TimeFormat TimeFormat::of_name(std::string_view name) {
  const auto found = std::ranges::find(names(), name);
  TimeFormat format;
  format.has_zone_ = name == kWithZone;
  if (format.has_zone_) format.kind_ = Kind::dates;
  if (found != names().end()) format.kind_ = static_cast<Kind>(found - names().begin());
  return format;
}

}  // namespace quadgate
