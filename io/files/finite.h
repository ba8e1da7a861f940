#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace quadgate {

namespace detail {

template <typename Float>
std::int64_t find_beyond_float(std::span<const Float> values) noexcept {
  const auto is_bad = [](Float value) {
    return !(std::fabs(value) <= Float{std::numeric_limits<float>::max()});
  };
  // Without a way out of the loop it runs in vectors; the search is only for bad data.
  std::int32_t bad = 0;
  for (const Float value : values) bad |= static_cast<std::int32_t>(is_bad(value));
  return bad == 0 ? -1 : std::ranges::find_if(values, is_bad) - values.begin();
}

}  // namespace detail

/// Index of the first NaN or infinity, or -1.
inline std::int64_t find_not_finite(std::span<const float> values) noexcept {
  return detail::find_beyond_float(values);
}
/// Also of numbers that float32 has no room for.
inline std::int64_t find_not_finite(std::span<const double> values) noexcept {
  return detail::find_beyond_float(values);
}

}  // namespace quadgate
