#pragma once

// For the files of one instruction set, over a vector type of its own header (avx2.h, avx512.h) or
// scalar.h. Every operation is written out, so an element gets the same bits from each.

namespace quadgate::kernels {
namespace {

// They split the exponent t = n ln 2 + r, n whole and |r| <= ln 2 / 2, so that
// e^t = 2^n e^r, and take e^r - 1 - r = r^2 (c0 + c1 r + c2 r^2 + c3 r^3 + c4 r^4), a minimax fit
// that keeps e^r - 1 within 1.4e-8 (relative).

/// e^t for t <= 88. Below t = -87 it is e^-87.
template <typename Vec>
Vec exponential(Vec t) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec x = max(k(-87.0F), t);
  const Vec n = round(x * k(1.44269504F));
  const Vec r = fnma(n, k(0.693147182F), x);
  Vec p = fma(k(1.38825167e-3F), r, k(8.36654752e-3F));
  p = fma(p, r, k(4.16672006e-2F));
  p = fma(p, r, k(1.66665435e-1F));
  p = fma(p, r, k(4.99999970e-1F));
  return ldexp(fma(r * r, p, k(1.0F) + r), n);
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

/// 1 / (1 + e^-x). Below x = -88 it is 0, lest a gradient of it times an x of 1e36 be one.
template <typename Vec>
Vec sigmoid(Vec x) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec t = min(k(87.0F), max(k(-88.0F), x));
  const Vec n = round(t * k(-1.44269504F));
  const Vec r = fma(n, k(0.693147182F), t);  // -r: the signs below follow
  Vec p = fma(k(1.38825167e-3F), r, k(-8.36654752e-3F));
  p = fma(p, r, k(4.16672006e-2F));
  p = fma(p, r, k(-1.66665435e-1F));
  p = fma(p, r, k(4.99999970e-1F));
  const Vec y = k(1.0F) / (k(1.0F) + ldexp(fma(r * r, p, k(1.0F) - r), n));
  return select(positive(k(-88.0F) - x), k(0.0F), y);
}

/// (e^2x - 1) / (e^2x + 1), from (e^2x - 1) / 2 = (2^n - 1) / 2 + 2^n (e^r - 1) / 2, which keeps
/// small x exact; p is of r / 2.
template <typename Vec>
Vec tanh(Vec x) noexcept {
  const auto k = [](float value) noexcept { return Vec::broadcast(value); };
  const Vec t = min(k(20.0F), max(k(-20.0F), x));
  const Vec n = round(t * k(2.88539008F));
  const Vec r = fnma(n, k(0.346573591F), t);
  Vec p = fma(k(32 * 1.38825167e-3F), r, k(16 * 8.36654752e-3F));
  p = fma(p, r, k(8 * 4.16672006e-2F));
  p = fma(p, r, k(4 * 1.66665435e-1F));
  p = fma(p, r, k(2 * 4.99999970e-1F));
  const Vec power = ldexp(k(1.0F), n);
  const Vec half = fma(power, fma(r * r, p, r), fma(power, k(0.5F), k(-0.5F)));
  return half / (half + k(1.0F));
}

}  // namespace
}  // namespace quadgate::kernels
