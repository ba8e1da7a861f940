#pragma once

// One float in the clothes of a vector: the formulas of math.h for every machine.

#include <bit>
#include <cmath>
#include <cstdint>

namespace quadgate::kernels {
namespace {

/// 1 float.
struct ScalarVec {
  float lanes;

  static constexpr std::int64_t kLanes = 1;

  static ScalarVec broadcast(float value) noexcept { return {value}; }

  friend ScalarVec operator+(ScalarVec a, ScalarVec b) noexcept { return {a.lanes + b.lanes}; }
  friend ScalarVec operator-(ScalarVec a, ScalarVec b) noexcept { return {a.lanes - b.lanes}; }
  friend ScalarVec operator*(ScalarVec a, ScalarVec b) noexcept { return {a.lanes * b.lanes}; }
  friend ScalarVec operator/(ScalarVec a, ScalarVec b) noexcept { return {a.lanes / b.lanes}; }
  /// a * b + c and -a * b + c, rounded once.
  friend ScalarVec fma(ScalarVec a, ScalarVec b, ScalarVec c) noexcept {
    return {std::fma(a.lanes, b.lanes, c.lanes)};
  }
  friend ScalarVec fnma(ScalarVec a, ScalarVec b, ScalarVec c) noexcept {
    return {std::fma(-a.lanes, b.lanes, c.lanes)};
  }
  /// The smaller and the larger; b where either is not a number.
  friend ScalarVec min(ScalarVec a, ScalarVec b) noexcept { return a.lanes < b.lanes ? a : b; }
  friend ScalarVec max(ScalarVec a, ScalarVec b) noexcept { return a.lanes > b.lanes ? a : b; }
  /// To the nearest whole number, halves to the even one.
  friend ScalarVec round(ScalarVec a) noexcept { return {std::nearbyint(a.lanes)}; }
  /// 2^n for whole n, -126 <= n <= 128; infinity at 128.
  friend ScalarVec power_of_two(ScalarVec n) noexcept {
    // NaN has no whole number, and any power will do: the fraction carries it on.
    const int whole = n.lanes == n.lanes ? static_cast<int>(n.lanes) : 0;
    return {std::bit_cast<float>((whole + 127) << 23)};
  }
};

}  // namespace
}  // namespace quadgate::kernels
