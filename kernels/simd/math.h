#pragma once

// For the files of one instruction set, over a vector type of its own header (avx2.h, avx512.h) or
// scalar.h. Every operation is written out, so an element gets the same bits from each.

namespace quadgate::kernels {
namespace {

/// The whole number n nearest to t times a scale, and 2^n, for -127 <= n <= 128: 2^-127 is 0 and
/// 2^128 infinity. Between 2^23 and 2^24 floats are whole numbers, so a sum with one rounds, and
/// its lowest bits are n + 127, the exponent of the power.
template <typename Vec>
struct NearestPower {
  Vec n, power;

  NearestPower(Vec t, float scale) noexcept
      : NearestPower(fma(t, Vec::broadcast(scale), Vec::broadcast(kWhole))) {}

 private:
  static constexpr float kWhole = 0x1.8p23F + 127;
  explicit NearestPower(Vec sum) noexcept
      : n(sum - Vec::broadcast(kWhole)), power(lowest_bits_as_exponent(sum)) {}
};

/// e^t for t <= 88. Below t = -87 it is e^-87. It splits t = n ln 2 + r, n whole and |r| <= ln 2 /
/// 2, so that e^t = 2^n e^r, and takes e^r - 1 - r = r^2 (c0 + c1 r + c2 r^2 + c3 r^3 + c4 r^4), a
/// minimax fit that keeps e^r - 1 within 1.4e-8 (relative).
template <typename Vec>
Vec exponential(Vec t) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec x = max(k(-87.0F), t);
  const NearestPower<Vec> nearest(x, 1.44269504F);
  const Vec r = fnma(nearest.n, k(0.693147182F), x);
  Vec p = fma(k(1.38825167e-3F), r, k(8.36654752e-3F));
  p = fma(p, r, k(4.16672006e-2F));
  p = fma(p, r, k(1.66665435e-1F));
  p = fma(p, r, k(4.99999970e-1F));
  return nearest.power * fma(r * r, p, k(1.0F) + r);
}

/// log(x) for x >= 1, within 1.5 epsilon (relative); for other normal x above 0 within 1.5 epsilon
/// of 1 and it. With x = 2^n m, 0.75 <= m < 1.5, and s = (m -
/// 1) / (m + 1), log(m) = 2 artanh(s) = 2 s (1 + q (c0 + c1 q + c2 q^2)), q = s^2: a minimax fit
/// within 2.8e-9.
template <typename Vec>
Vec logarithm(Vec x) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec n = exponent(x * k(1.33333333F));
  const Vec m = ldexp(x, k(0.0F) - n);
  const Vec s = (m - k(1.0F)) / (m + k(1.0F));
  const Vec q = s * s;
  const Vec p = fma(fma(k(0.15179501F), q, k(0.19978956F)), q, k(0.33333473F));
  const Vec twice = s + s;
  return fma(n, k(0.693147182F), fma(twice * q, p, twice));
}

// sigmoid and tanh split their exponent likewise. With E = r / tanh(r / 2), e^r = (E + r) / (E -
// r), and E = 2 + q (e0 + e1 q), q = r^2: a minimax fit within 2.2e-9 (relative). One division is
// left.

/// 1 / (1 + e^-x). Below x = -88.0297 it is 0, lest a gradient of it times an x of 1e36 be one.
template <typename Vec>
Vec sigmoid(Vec x) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec t = min(k(88.0F), max(k(-88.6F), x));
  const NearestPower<Vec> nearest(t, -1.44269504F);
  const Vec r = fma(nearest.n, k(0.693147182F), t);
  const Vec q = r * r;
  const Vec e = fma(fma(q, k(-2.76674954e-3F), k(1.66666254e-1F)), q, k(2.0F));
  const Vec sum = e + r;
  return sum / fma(nearest.power, e - r, sum);
}

/// (e^2x - 1) / (e^2x + 1), of (2^n - 1) E + (2^n + 1) r and (2^n + 1) E + (2^n - 1) r, with the r
/// and E of 2x. So a small x, of which n is 0, stays exact: tanh(x) = r / E.
template <typename Vec>
Vec tanh(Vec x) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec t = min(k(20.0F), max(k(-20.0F), x));
  const NearestPower<Vec> nearest(t, 2.88539008F);
  const Vec r = fnma(nearest.n, k(0.346573591F), t);  // half of it, and half of E
  const Vec q = r * r;
  const Vec e = fma(fma(q, k(8 * -2.76674954e-3F), k(2 * 1.66666254e-1F)), q, k(1.0F));
  const Vec plus = nearest.power + k(1.0F);
  const Vec minus = nearest.power - k(1.0F);
  return fma(minus, e, plus * r) / fma(plus, e, minus * r);
}

}  // namespace
}  // namespace quadgate::kernels
