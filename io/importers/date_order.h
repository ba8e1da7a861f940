#pragma once

#include <cstdint>

namespace quadgate {

/// Which of the two numbers in front of a date's year is first, as in 1/7/2016.
enum class DateOrder : std::uint8_t { day_first, month_first };

}  // namespace quadgate
