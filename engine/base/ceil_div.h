#pragma once

#include <concepts>

namespace quadgate {

/// How many parts of size `part` it takes to hold `whole`.
template <std::integral Count>
constexpr Count ceil_div(Count whole, Count part) noexcept {
  return (whole + part - 1) / part;
}

}  // namespace quadgate
