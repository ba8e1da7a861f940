#pragma once

#include <cstddef>
#include <cstring>

namespace quadgate {

/// The number whose bytes lie at `from`, at any address, in the order of x86-64.
template <typename Number>
Number load(const std::byte* from) noexcept {
  Number number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

}  // namespace quadgate
