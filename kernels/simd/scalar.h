#pragma once

// One float in the clothes of a vector: the formulas of math.h for every machine.

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/simd/bf16_pair.h"
#include "kernels/simd/twice.h"

namespace quadgate::kernels {
namespace {

/// 1 float.
struct ScalarVec {
  float lanes;

  static constexpr std::int64_t kLanes = 1;

  using Mask = bool;

  static Mask first(std::int64_t count) noexcept { return count > 0; }
  static ScalarVec broadcast(float value) noexcept { return {value}; }
  static ScalarVec load(const float* from) noexcept { return {*from}; }
  static ScalarVec load(const float* from, Mask mask) noexcept { return {mask ? *from : 0.0F}; }
  void store(float* to) const noexcept { *to = lanes; }
  void store(float* to, Mask mask) const noexcept {
    if (mask) *to = lanes;
  }

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
  /// Whether it is above 0, or NaN.
  friend Mask positive_or_nan(ScalarVec a) noexcept { return !(a.lanes <= 0); }
  friend Mask equal(ScalarVec a, ScalarVec b) noexcept { return a.lanes == b.lanes; }
  /// a where the mask is set, else b.
  friend ScalarVec select(Mask mask, ScalarVec a, ScalarVec b) noexcept { return mask ? a : b; }
  void hold() noexcept {}
  /// a 2^n for whole n, -126 <= n <= 127.
  friend ScalarVec ldexp(ScalarVec a, ScalarVec n) noexcept {
    // NaN has no whole number, and any power will do: a is NaN as well.
    const int whole = n.lanes == n.lanes ? static_cast<int>(n.lanes) : 0;
    return {a.lanes * std::bit_cast<float>((whole + 127) << 23)};
  }
  /// 2^(n - 127) for the n of the lowest 8 bits, if the ninth is 0: 0 for n = 0, infinity for 255.
  friend ScalarVec lowest_bits_as_exponent(ScalarVec a) noexcept {
    return from_bits(bits(a) << 23);
  }
  /// The whole n for which 2^n <= a < 2^(n + 1), for normal a above 0.
  friend ScalarVec exponent(ScalarVec a) noexcept {
    const std::uint32_t biased = std::bit_cast<std::uint32_t>(a.lanes) >> 23;
    return {static_cast<float>(static_cast<int>(biased) - 127)};
  }
  /// 0 where a equals b, else 1: the first lane in which they are equal.
  friend std::int64_t first_equal(ScalarVec a, ScalarVec b) noexcept {
    return a.lanes == b.lanes ? 0 : 1;
  }
  friend void transpose(ScalarVec (&)[1]) noexcept {}

  // bf16, see avx2.h.
  friend ScalarVec round_to_bf16(ScalarVec a) noexcept {
    const std::uint32_t number = bits(a);
    if (a.lanes != a.lanes) return from_bits((number & 0xFFFF0000U) | 0x00400000U);
    if (std::fabs(a.lanes) < 0x1p-126F) return from_bits(number & 0x80000000U);
    return upper_half(from_bits(number + 0x7FFFU + ((number >> 16) & 1U)));
  }
  friend ScalarVec pair(ScalarVec low, ScalarVec high) noexcept {
    return {std::bit_cast<float>(
        Bf16Pair{std::bit_cast<Bf16Pair>(low).high, std::bit_cast<Bf16Pair>(high).high})};
  }
  friend ScalarVec upper_half(ScalarVec a) noexcept {
    return {std::bit_cast<float>(Bf16Pair{0, std::bit_cast<Bf16Pair>(a).high})};
  }
  friend ScalarVec lower_half(ScalarVec a) noexcept {
    return {std::bit_cast<float>(Bf16Pair{0, std::bit_cast<Bf16Pair>(a).low})};
  }
  friend ScalarVec add_pairs(ScalarVec left, ScalarVec right, ScalarVec sum) noexcept {
    return fma(lower_half(left), lower_half(right), fma(upper_half(left), upper_half(right), sum));
  }

 private:
  static std::uint32_t bits(ScalarVec a) noexcept { return std::bit_cast<std::uint32_t>(a.lanes); }
  static ScalarVec from_bits(std::uint32_t bits) noexcept { return {std::bit_cast<float>(bits)}; }
};

/// 16 of them.
using ScalarVec16 = Twice<Twice<Twice<Twice<ScalarVec>>>>;

}  // namespace
}  // namespace quadgate::kernels
