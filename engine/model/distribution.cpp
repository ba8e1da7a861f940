#include "engine/model/distribution.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>

namespace quadgate {
namespace {

/// From here on the asymptotic series of log_gamma and digamma have no error but rounding.
constexpr double kAsymptotic = 12;

/// log(Gamma(x)) for x > 0. The C library's writes to a variable that all threads share.
double log_gamma(double x) noexcept {
  double shift = 0;
  for (; x < kAsymptotic; ++x) shift -= std::log(x);
  const double square = 1 / (x * x);
  const double series =
      (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square * (1.0 / 1680)))) / x;
  return shift + (x - 0.5) * std::log(x) - x + 0.5 * std::log(2 * std::numbers::pi) + series;
}

/// The derivative of log_gamma.
double digamma(double x) noexcept {
  double shift = 0;
  for (; x < kAsymptotic; ++x) shift -= 1 / x;
  const double square = 1 / (x * x);
  const double series =
      square * (1.0 / 12 - square * (1.0 / 120 - square * (1.0 / 252 - square * (1.0 / 240))));
  return shift + std::log(x) - 0.5 / x - series;
}

double log_beta(double a, double b) noexcept {
  return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

/// The regularized incomplete beta function I_x(a, b) by its continued fraction, which converges
/// fast for x < (a + 1) / (a + b + 2) (Lentz's method, https://dlmf.nist.gov/8.17#v).
double incomplete_beta(double a, double b, double x) noexcept {
  if (x > (a + 1) / (a + b + 2)) return 1 - incomplete_beta(b, a, 1 - x);
  if (x <= 0) return 0;
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10'000;
  const auto nonzero = [](double value) { return std::abs(value) < kTiny ? kTiny : value; };
  double c = 1;
  double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 1;
    for (const double term : {even, odd}) {
      d = 1 / nonzero(1 + term * d);
      c = nonzero(1 + term / c);
      change = c * d;
      fraction *= change;
    }
    if (std::abs(change - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta(a, b)) * fraction / a;
}

/// The logarithm of a standard t density.
double log_density(double z, double df) noexcept {
  return -0.5 * (df + 1) * std::log1p(z * z / df) - 0.5 * std::log(df) - log_beta(0.5, df / 2);
}

/// The density of a standard Gaussian or t.
double density(double z, double df) noexcept {
  return df > 0 ? std::exp(log_density(z, df))
                : std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
}

}  // namespace

double softplus(double x) noexcept { return std::fmax(x, 0) + std::log1p(std::exp(-std::abs(x))); }

double softplus_slope(double x) noexcept {
  const double power = std::exp(-std::abs(x));
  return (x < 0 ? power : 1) / (1 + power);
}

Distribution distribution_of(LossKind kind, std::span<const float> outputs) noexcept {
  return {.mean = outputs[0],
          .scale = softplus(outputs[1]) + kLeastScale,
          .df = kind == LossKind::student_t ? kLeastDf + softplus(outputs[2]) : 0};
}

double negative_log_likelihood(const Distribution& distribution, std::span<const float> outputs,
                               double target, std::span<double> slopes) noexcept {
  const auto [mean, scale, df] = distribution;
  const double z = (target - mean) / scale;
  const double by_z = df > 0 ? (df + 1) * z / (df + z * z) : z;
  if (!slopes.empty()) {
    slopes[0] = -by_z / scale;
    slopes[1] = (1 - by_z * z) / scale * softplus_slope(outputs[1]);
  }
  if (df == 0) return 0.5 * z * z + std::log(scale) + 0.5 * std::log(2 * std::numbers::pi);
  if (!slopes.empty()) {
    const double by_df = 0.5 * (digamma(df / 2) - digamma((df + 1) / 2) + 1 / df +
                                std::log1p(z * z / df) - by_z * z / df);
    slopes[2] = by_df * softplus_slope(outputs[2]);
  }
  return std::log(scale) - log_density(z, df);
}

double cumulative(const Distribution& distribution, double value) noexcept {
  const double z = (value - distribution.mean) / distribution.scale;
  if (distribution.df == 0) return 0.5 * std::erfc(-z / std::numbers::sqrt2);
  const double df = distribution.df;
  const double tail = 0.5 * incomplete_beta(df / 2, 0.5, df / (df + z * z));
  return z < 0 ? tail : 1 - tail;
}

double quantile(const Distribution& distribution, double probability) noexcept {
  constexpr int kMostSteps = 1000;
  const Distribution standard{.df = distribution.df};
  const double tail = std::fmin(probability, 1 - probability);
  double z =
      0;  // Left of 0 the tail is convex: Newton's method comes from the right and stays there.
  for (int i = 0; i < kMostSteps; ++i) {
    const double step = (cumulative(standard, z) - tail) / density(z, standard.df);
    z -= step;
    if (step <= std::numeric_limits<double>::epsilon() * std::abs(z)) break;
  }
  return distribution.mean + distribution.scale * (probability < 0.5 ? z : -z);
}

double crps(const Distribution& distribution, double target) noexcept {
  const auto [mean, scale, df] = distribution;
  const double z = (target - mean) / scale;
  const double between = z * (2 * cumulative(distribution, target) - 1);
  const double dense = density(z, df);
  if (df == 0) return scale * (between + 2 * dense - 1 / std::sqrt(std::numbers::pi));
  const double spread = std::exp(log_beta(0.5, df - 0.5) - 2 * log_beta(df / 2, 0.5));
  return scale * (between + 2 * (dense * (df + z * z) - std::sqrt(df) * spread) / (df - 1));
}

}  // namespace quadgate
