#pragma once

#include <optional>
#include <string_view>

namespace quadgate {

/// A point in time as seconds since 1970 in UTC; empty for any other text. Takes ISO 8601
/// ("2016-07-01", "2016-07-01 13:30", "2016-07-01T13:30:00.5Z", "...+02:00"), the same with
/// slashes, the day first with points ("01.07.2016 13:30"), and plain numbers. A time without a
/// zone is UTC.
std::optional<double> parse_timestamp(std::string_view text);

}  // namespace quadgate
