#pragma once

#include <cstdint>

namespace quadgate {

/// How many parts of size `part` it takes to hold `whole`.
constexpr std::int64_t ceil_div(std::int64_t whole, std::int64_t part) noexcept {
  return (whole + part - 1) / part;
}

}  // namespace quadgate
