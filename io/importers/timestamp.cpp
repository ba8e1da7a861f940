#include "io/importers/timestamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "io/importers/text.h"

namespace quadgate {
namespace {

/// Takes parts off the front of a text; once one is not there, it has failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return rest_.empty(); }

  /// Exactly `digits` digits.
  int number(std::size_t digits) {
    int value = 0;
    const std::string_view part = rest_.substr(0, digits);
    good_ = good_ && part.size() == digits &&
            std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    if (!good_) return 0;
    std::from_chars(part.data(), part.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }
  /// Whether one of `signs` stands here, which then goes; else '\0'.
  char skip(std::string_view signs) {
    if (rest_.empty() || signs.find(rest_.front()) == std::string_view::npos) return '\0';
    const char found = rest_.front();
    rest_.remove_prefix(1);
    return found;
  }
  void expect(char sign) { good_ = skip({&sign, 1}) != '\0' && good_; }
  /// The digits of a fraction: 0 to below 1.
  double fraction() {
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    double value = 0;
    double unit = 1;
    for (const char digit : rest_.substr(0, end)) value += (digit - '0') * (unit /= 10);
    good_ = good_ && end > 0;
    rest_.remove_prefix(end);
    return value;
  }

 private:
  std::string_view rest_;
  bool good_ = true;
};

std::chrono::year_month_day scan_date(Scanner& scan, std::string_view text) {
  using std::chrono::day, std::chrono::month, std::chrono::year;
  constexpr std::size_t kYearAndMonth = 7;
  const bool day_first = text.size() > 2 && text[2] == '.';
  const char sign = day_first ? '.' : text.size() > 4 && text[4] == '/' ? '/' : '-';
  const int first = scan.number(day_first ? 2 : 4);
  scan.expect(sign);
  const int second = scan.number(2);
  const bool has_third = text.size() != kYearAndMonth;
  if (has_third) scan.expect(sign);
  const int third = has_third ? scan.number(day_first ? 4 : 2) : 1;
  return {year(day_first ? third : first), month(static_cast<unsigned>(second)),
          day(static_cast<unsigned>(day_first ? first : third))};
}

// Seconds since midnight of "13:30" or "13:30:05.25".
double scan_time(Scanner& scan, bool& in_range) {
  const int hours = scan.number(2);
  scan.expect(':');
  const int minutes = scan.number(2);
  double seconds = 0;
  if (scan.skip(":") != '\0') {
    seconds = scan.number(2);
    if (scan.skip(".,") != '\0') seconds += scan.fraction();
  }
  in_range = in_range && hours < 25 && minutes < 60 && seconds < 61;
  return hours * 3600 + minutes * 60 + seconds;
}

// What a zone like "Z", "+02:00", "+0200" or "-05" adds to UTC, in seconds.
double scan_zone(Scanner& scan) {
  if (scan.skip("Zz") != '\0') return 0;
  const char sign = scan.skip("+-");
  if (sign == '\0') return 0;
  double offset = scan.number(2) * 3600;
  if (!scan.at_end()) {
    scan.skip(":");
    offset += scan.number(2) * 60;
  }
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::optional<double> parse_timestamp(std::string_view text) {
  Scanner scan(text);
  const std::chrono::year_month_day date = scan_date(scan, text);
  bool in_range = date.ok();
  double seconds = 0;
  if (!scan.at_end()) {
    if (scan.skip(" ") == '\0') scan.expect('T');
    seconds = scan_time(scan, in_range);
    seconds -= scan_zone(scan);
  }
  if (!scan.good() || !scan.at_end() || !in_range) return {};
  const std::chrono::duration<double> since_1970 = std::chrono::sys_days(date).time_since_epoch();
  return since_1970.count() + seconds;
}

std::optional<double> parse_compact_timestamp(std::string_view digits) {
  constexpr std::array<std::size_t, 4> kSizes{8, 10, 12, 14};
  constexpr int kFirstYear = 1900;  // others are rather numbers
  constexpr int kLastYear = 2100;
  if (std::ranges::find(kSizes, digits.size()) == kSizes.end()) return {};
  Scanner scan(digits);
  const int year = scan.number(4);
  const int month = scan.number(2);
  const int day = scan.number(2);
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  const int hours = scan.at_end() ? 0 : scan.number(2);
  const int minutes = scan.at_end() ? 0 : scan.number(2);
  const int seconds = scan.at_end() ? 0 : scan.number(2);
  if (!scan.good() || !date.ok() || year < kFirstYear || year > kLastYear || hours > 23 ||
      minutes > 59 || seconds > 60) {
    return {};
  }
  const std::chrono::duration<double> since_1970 = std::chrono::sys_days(date).time_since_epoch();
  return since_1970.count() + hours * 3600 + minutes * 60 + seconds;
}

std::string format_timestamp(double seconds) {
  constexpr double kMost = 253402300799;  // 9999-12-31 23:59:59
  if (!(std::abs(seconds) <= kMost)) return fmt::format("{}", seconds);
  const auto whole = std::chrono::sys_seconds(
      std::chrono::seconds(static_cast<std::int64_t>(std::floor(seconds))));
  const auto day = std::chrono::floor<std::chrono::days>(whole);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(whole - day);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  if (whole != day)
    text += fmt::format(" {:02}:{:02}", time.hours().count(), time.minutes().count());
  if (time.seconds().count() != 0) text += fmt::format(":{:02}", time.seconds().count());
  return text;
}

}  // namespace quadgate
