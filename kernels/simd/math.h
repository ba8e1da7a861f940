#pragma once

// For the files of one instruction set, over a vector type of its own header (avx2.h, avx512.h) or
// scalar.h. Every operation is written, so an element gets the same bits from each of them.

namespace quadgate::kernels {
namespace {

/// e^t = power * (1 + fraction): t = n ln 2 + r with n whole and |r| <= ln 2 / 2, power = 2^n and
/// fraction = e^r - 1, whose polynomial is within 2.3e-8 of it (relative, a minimax fit).
template <typename Vec>
struct Exponential {
  Vec power;
  Vec fraction;
};

/// For t in [-87, 89]; NaN stays.
template <typename Vec>
Exponential<Vec> exponential(Vec t) noexcept {
  const auto c = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec n = round(t * c(1.44269504F));
  const Vec r = fnma(n, c(-2.12194440e-4F), fnma(n, c(0.693359375F), t));  // ln 2 in two parts
  Vec p = fma(c(1.38825167e-3F), r, c(8.36654752e-3F));
  p = fma(p, r, c(4.16672006e-2F));
  p = fma(p, r, c(1.66665435e-1F));
  p = fma(p, r, c(4.99999970e-1F));
  return {power_of_two(n), fma(r * r, p, r)};
}

/// 1 / (1 + e^-x); 0 where x < -88.4.
template <typename Vec>
Vec sigmoid(Vec x) noexcept {
  const Vec zero = Vec::broadcast(0.0F);
  const Vec one = Vec::broadcast(1.0F);
  const Vec t = min(Vec::broadcast(89.0F), max(Vec::broadcast(-87.0F), zero - x));
  const auto e = exponential(t);
  return one / fma(e.power, one + e.fraction, one);
}

/// (e^2x - 1) / (e^2x + 1), from e^2x - 1 = (2^n - 1) + 2^n (e^r - 1), which keeps small x exact.
template <typename Vec>
Vec tanh(Vec x) noexcept {
  const Vec one = Vec::broadcast(1.0F);
  const Vec t = min(Vec::broadcast(40.0F), max(Vec::broadcast(-40.0F), x + x));
  const auto e = exponential(t);
  const Vec less_one = fma(e.power, e.fraction, e.power - one);
  return less_one / (less_one + Vec::broadcast(2.0F));
}

}  // namespace
}  // namespace quadgate::kernels
