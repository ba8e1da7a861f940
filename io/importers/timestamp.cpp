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
  /// How many digits stand here.
  std::size_t digits() const noexcept {
    return std::min(rest_.find_first_not_of("0123456789"), rest_.size());
  }

  /// Exactly `digits` digits.
  int number(std::size_t digits) { return number(digits, digits); }
  /// So many digits, as many as there are.
  int number(std::size_t least, std::size_t most) {
    int value = 0;
    const std::string_view part = rest_.substr(0, most);
    const std::size_t digits = std::min(part.find_first_not_of("0123456789"), part.size());
    good_ = good_ && digits >= least;
    if (!good_) return 0;
    std::from_chars(part.data(), part.data() + digits, value);
    rest_.remove_prefix(digits);
    return value;
  }
  /// 'A' or 'P' of "AM" or "PM", with or without a blank in front, which then go; else '\0'.
  char half_day() {
    const std::string_view half = rest_.substr(rest_.starts_with(' ') ? 1 : 0).substr(0, 2);
    if (half.size() != 2 || (half[1] | ' ') != 'm') return '\0';
    const char letter = static_cast<char>(half[0] & ~' ');
    if (letter != 'A' && letter != 'P') return '\0';
    rest_.remove_prefix(static_cast<std::size_t>(half.end() - rest_.begin()));
    return letter;
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
    const std::size_t end = digits();
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

std::chrono::year_month_day to_date(int year, int month, int day) {
  return {std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
          std::chrono::day(static_cast<unsigned>(day))};
}

std::chrono::year_month_day scan_year_first(Scanner& scan, std::string_view text) {
  constexpr std::size_t kYearAndMonth = 7;
  constexpr std::size_t kDate = 8;
  if (scan.digits() == kDate && text.size() > kDate) {  // a time follows; else it may be a number
    const int year = scan.number(4);
    const int month = scan.number(2);
    return to_date(year, month, scan.number(2));
  }
  const char sign = text.size() > 4 && text[4] == '/' ? '/' : '-';
  const int year = scan.number(4);
  scan.expect(sign);
  const int month = scan.number(1, 2);
  if (text.size() == kYearAndMonth && scan.at_end()) return to_date(year, month, 1);
  scan.expect(sign);
  return to_date(year, month, scan.number(1, 2));
}

std::chrono::year_month_day scan_year_last(Scanner& scan, std::string_view signs, DateOrder order) {
  const int first = scan.number(1, 2);
  const char sign = scan.skip(signs);
  const int second = scan.number(1, 2);
  scan.expect(sign);
  const int year = scan.number(4);
  return order == DateOrder::day_first ? to_date(year, second, first)
                                       : to_date(year, first, second);
}

// Seconds since midnight of "13:30" or "13:30:05.25", also without colons, or of "13".
double scan_time(Scanner& scan, bool& in_range) {
  const std::size_t digits = scan.digits();
  int hours = scan.number(1, 2);
  const auto has_more = [&] { return digits > 2 ? scan.digits() > 0 : scan.skip(":") != '\0'; };
  int minutes = 0;
  double seconds = 0;
  if (has_more()) {
    minutes = scan.number(2);
    if (has_more()) {
      seconds = scan.number(2);
      if (scan.skip(".,") != '\0') seconds += scan.fraction();
    }
  } else if (digits < 2) {
    scan.expect(':');
  }
  in_range = in_range && hours < 25 && minutes < 60 && seconds < 61;
  if (const char half = scan.half_day(); half != '\0') {
    in_range = in_range && hours >= 1 && hours <= 12;
    hours = hours % 12 + (half == 'P' ? 12 : 0);
  }
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

/// Of a text whose date was taken off.
std::optional<double> parse_rest(Scanner& scan, const std::chrono::year_month_day& date) {
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

}  // namespace

std::optional<double> parse_timestamp(std::string_view text) {
  Scanner scan(text);
  const std::size_t point = text.find('.');
  const bool has_points = point == 1 || point == 2;  // as in 1.7.2016
  return parse_rest(scan, has_points ? scan_year_last(scan, ".", DateOrder::day_first)
                                     : scan_year_first(scan, text));
}

std::optional<double> parse_timestamp(std::string_view text, DateOrder order) {
  Scanner scan(text);
  return parse_rest(scan, scan_year_last(scan, "/-", order));
}

bool looks_like_time(std::string_view text) {
  return parse_timestamp(text) || parse_timestamp(text, DateOrder::day_first) ||
         parse_timestamp(text, DateOrder::month_first);
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
  const std::chrono::year_month_day date = to_date(year, month, day);
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
