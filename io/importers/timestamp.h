#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "io/importers/date_order.h"

namespace quadgate {

/// A point in time as seconds since 1970 in UTC; empty for any other text. Takes ISO 8601
/// ("2016-07-01", "2016-07-01 13:30", "2016-07-01T13:30:00.5Z", "...+02:00", "2016-07-01T13",
/// "20160701T133000", "2016-07"), the same with slashes, and the day first with points ("01.07.2016
/// 13:30"). Month, day and hours may have one digit, and "AM" or "PM" may stand behind the time. A
/// time without a zone is UTC.
std::optional<double> parse_timestamp(std::string_view text);

/// The same of a date with its year behind: "7/1/2016 0:00", "07-01-2016".
std::optional<double> parse_timestamp(std::string_view text, DateOrder order);

/// Whether it is a point in time in some order.
bool looks_like_time(std::string_view text);

/// The same of digits alone, years 1900 to 2100: "20160701", with two more for hours, minutes and
/// seconds each.
std::optional<double> parse_compact_timestamp(std::string_view digits);

/// "2016-07-01", "2016-07-01 13:30" or "2016-07-01 13:30:05", in UTC.
std::string format_timestamp(double seconds);

}  // namespace quadgate
