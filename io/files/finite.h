#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace quadgate {

/// Index of the first NaN or infinity, or -1.
inline std::int64_t find_not_finite(std::span<const float> values) noexcept {
  // Without a way out of the loop it runs in vectors; the search is only for bad data.
  std::int32_t bad = 0;
  for (const float value : values) {
    bad |= static_cast<std::int32_t>(!(std::fabs(value) <= std::numeric_limits<float>::max()));
  }
  if (bad == 0) return -1;
  const auto found = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  return found - values.begin();
}

}  // namespace quadgate
