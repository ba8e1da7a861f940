#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace quadgate::testing {

/// What kernels/matrix/bf16/bf16.h says of rounding, in arithmetic instead of bits: 8 significant
/// bits, halves to the even one; denormal numbers become 0 of their sign; too large ones infinite.
/// A NaN stays one: it keeps its upper bits, and is quiet.
inline float rounded_to_bf16(float value) {
  if (std::isnan(value)) {
    return std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) & 0xFFFF0000U) | 0x00400000U);
  }
  if (std::fpclassify(value) == FP_SUBNORMAL) return std::copysign(0.0F, value);
  if (value == 0 || std::isinf(value)) return value;
  const int unit = std::ilogb(value) - 7;
  return static_cast<float>(std::ldexp(std::nearbyint(std::ldexp(double{value}, -unit)), unit));
}

/// Two neighbours in a sum as one float's bits.
inline float bf16_pair(float low, float high) {
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(rounded_to_bf16(low)) >> 16 |
                              std::bit_cast<std::uint32_t>(rounded_to_bf16(high)));
}

}  // namespace quadgate::testing
