#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// The parts of a time that features are made of, as pandas and darts name them: minute, hour,
/// weekday (Monday is 0), day, dayofyear and month, of UTC or of times without a zone as they are.
std::span<const std::string_view> calendar_parts();
bool is_calendar_part(std::string_view name);

/// Two features a part: "hour_sin", "hour_cos".
std::vector<std::string> calendar_names(std::span<const std::string> parts);

/// Fills `out` [2 parts] with sin and cos of 2 pi n / period, n counted from 0 (as darts does), of
/// a time in seconds since 1970. The periods are 60, 24, 7, 31, 365.25 and 12.
void calendar_values(std::span<const std::string> parts, double time, std::span<double> out);

}  // namespace quadgate
