#pragma once

#include <cmath>
#include <limits>

namespace quadgate {

/// A number for people: the sign of NaN, which depends on the machine, tells nothing.
inline double without_nan_sign(double value) noexcept {
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

}  // namespace quadgate
