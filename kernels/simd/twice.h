#pragma once

// For the files of one instruction set, like math.h.

#include <cstddef>
#include <cstdint>

namespace quadgate::kernels {
namespace {

/// Two vectors as one. So the panels of every instruction set can be those of AVX-512.
template <typename Half>
struct Twice {
  Half low, high;

  static constexpr std::int64_t kLanes = 2 * Half::kLanes;
  struct Mask {
    typename Half::Mask low, high;
  };

  static Mask first(std::int64_t count) noexcept {
    constexpr std::int64_t kHalf = Half::kLanes;
    return {Half::first(count < kHalf ? count : kHalf),
            Half::first(count > kHalf ? count - kHalf : 0)};
  }
  static Twice broadcast(float value) noexcept {
    return {Half::broadcast(value), Half::broadcast(value)};
  }
  static Twice load(const float* from) noexcept {
    return {Half::load(from), Half::load(from + Half::kLanes)};
  }
  static Twice load(const float* from, Mask mask) noexcept {
    return {Half::load(from, mask.low), Half::load(from + Half::kLanes, mask.high)};
  }
  void store(float* to) const noexcept {
    low.store(to);
    high.store(to + Half::kLanes);
  }
  void store(float* to, Mask mask) const noexcept {
    low.store(to, mask.low);
    high.store(to + Half::kLanes, mask.high);
  }
  void hold() noexcept {}

  friend Twice operator+(Twice a, Twice b) noexcept { return {a.low + b.low, a.high + b.high}; }
  friend Twice operator-(Twice a, Twice b) noexcept { return {a.low - b.low, a.high - b.high}; }
  friend Twice operator*(Twice a, Twice b) noexcept { return {a.low * b.low, a.high * b.high}; }
  friend Twice operator/(Twice a, Twice b) noexcept { return {a.low / b.low, a.high / b.high}; }
  friend Twice fma(Twice a, Twice b, Twice c) noexcept {
    return {fma(a.low, b.low, c.low), fma(a.high, b.high, c.high)};
  }
  friend Twice fnma(Twice a, Twice b, Twice c) noexcept {
    return {fnma(a.low, b.low, c.low), fnma(a.high, b.high, c.high)};
  }
  friend Twice min(Twice a, Twice b) noexcept { return {min(a.low, b.low), min(a.high, b.high)}; }
  friend Twice max(Twice a, Twice b) noexcept { return {max(a.low, b.low), max(a.high, b.high)}; }
  friend Mask positive_or_nan(Twice a) noexcept {
    return {positive_or_nan(a.low), positive_or_nan(a.high)};
  }
  friend Twice select(Mask mask, Twice a, Twice b) noexcept {
    return {select(mask.low, a.low, b.low), select(mask.high, a.high, b.high)};
  }
  friend Twice lowest_bits_as_exponent(Twice a) noexcept {
    return {lowest_bits_as_exponent(a.low), lowest_bits_as_exponent(a.high)};
  }

  // bf16, see avx2.h.
  friend Twice round_to_bf16(Twice a) noexcept {
    return {round_to_bf16(a.low), round_to_bf16(a.high)};
  }
  friend void store_bf16(Twice a, float* to, std::int64_t count) noexcept {
    store_pairs(round_to_bf16(a), to, count);
  }
  static Twice load_halves(const float* from) noexcept {
    if constexpr (Half::kLanes == 1) {
      const Half pair = Half::load(from);
      return {lower_half(pair), upper_half(pair)};
    } else {
      return {Half::load_halves(from), Half::load_halves(from + Half::kLanes / 2)};
    }
  }
  friend Twice pair(Twice a, Twice b) noexcept {
    return {pair(a.low, b.low), pair(a.high, b.high)};
  }
  friend Twice add_pairs(Twice left, Twice right, Twice sum) noexcept {
    return {add_pairs(left.low, right.low, sum.low), add_pairs(left.high, right.high, sum.high)};
  }
  friend void store_pairs(Twice a, float* to, std::int64_t count) noexcept {
    constexpr std::int64_t kHalf = Half::kLanes / 2;
    if constexpr (kHalf == 0) {
      if (count > 0) pair(a.low, a.high).store(to);
    } else {
      store_pairs(a.low, to, count < kHalf ? count : kHalf);
      if (count > kHalf) store_pairs(a.high, to + kHalf, count - kHalf);
    }
  }

  /// Exchanges rows and columns of kLanes x kLanes floats.
  friend void transpose(Twice (&rows)[static_cast<std::size_t>(kLanes)]) noexcept {
    constexpr auto kHalf = static_cast<std::size_t>(Half::kLanes);
    Half quarters[4][kHalf];
    for (std::size_t i = 0; i < kHalf; ++i) {
      quarters[0][i] = rows[i].low;
      quarters[1][i] = rows[i + kHalf].low;
      quarters[2][i] = rows[i].high;
      quarters[3][i] = rows[i + kHalf].high;
    }
    for (auto& quarter : quarters) transpose(quarter);
    for (std::size_t i = 0; i < kHalf; ++i) {
      rows[i] = {quarters[0][i], quarters[1][i]};
      rows[i + kHalf] = {quarters[2][i], quarters[3][i]};
    }
  }
};

}  // namespace
}  // namespace quadgate::kernels
