#include "io/importers/timestamp.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>

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
  const bool day_first = text.size() > 2 && text[2] == '.';
  const char sign = day_first ? '.' : text.size() > 4 && text[4] == '/' ? '/' : '-';
  const int first = scan.number(day_first ? 2 : 4);
  scan.expect(sign);
  const int second = scan.number(2);
  scan.expect(sign);
  const int third = scan.number(day_first ? 4 : 2);
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
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && std::isfinite(number)) {
    return number;
  }
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

}  // namespace quadgate
