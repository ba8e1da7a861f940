// Sweeps means, scales, degrees of freedom from 2 to 1000 and targets far out in the tails. The
// density is compared with torch.distributions in tests/torch/losses_test.py, and its slopes by
// complex steps in loss_test.cpp; here the rest follows from it: cumulative is its integral, and
// crps that of the squared difference to a step. Tolerance: 1e-8, of Simpson's rule.

#include "engine/model/distribution.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace quadgate {
namespace {

/// Simpson's rule over [from, to].
template <typename Function>
double integral(double from, double to, Function function) {
  constexpr int kPieces = 200'000;
  const double step = (to - from) / kPieces;
  double sum = function(from) + function(to);
  for (int i = 1; i < kPieces; ++i) sum += (i % 2 == 1 ? 4 : 2) * function(from + step * i);
  return sum * step / 3;
}

double density(const Distribution& distribution, double value) {
  return std::exp(-negative_log_likelihood(distribution, {}, value, {}));
}

const Distribution kDistributions[] = {{.mean = 0.3, .scale = 0.7, .df = 0},
                                       {.mean = -1, .scale = 2, .df = 2.05},
                                       {.mean = 0, .scale = 1, .df = 3},
                                       {.mean = 0.5, .scale = 0.1, .df = 7.5},
                                       {.mean = 0, .scale = 1, .df = 1000}};

TEST(DistributionTest, CumulatesItsDensity) {
  for (const Distribution& distribution : kDistributions) {
    const auto [mean, scale, df] = distribution;
    EXPECT_NEAR(cumulative(distribution, mean), 0.5, 1e-14);
    for (const double z : {-30.0, -4.0, -1.0, -0.01, 0.5, 2.0, 12.0}) {
      SCOPED_TRACE(::testing::Message() << df << " at " << z);
      const double value = mean + scale * z;
      const double between =
          integral(mean, value, [&](double at) { return density(distribution, at); });
      EXPECT_NEAR(cumulative(distribution, value), 0.5 + between, 1e-8);
    }
  }
}

// The integral of (F(x) - [x >= target])^2 (Gneiting and Raftery 2007). Tails are cut where a t
// of 2.05 degrees leaves 1e-8 behind.
TEST(DistributionTest, ScoresByTheIntegralOfSquares) {
  for (const Distribution& distribution : kDistributions) {
    const auto [mean, scale, df] = distribution;
    const double far = df > 0 && df < 3 ? 1000 : df > 0 ? 200 : 40;
    for (const double z : {-3.0, -0.4, 0.0, 1.0, 5.0}) {
      SCOPED_TRACE(::testing::Message() << df << " at " << z);
      const double target = mean + scale * z;
      const auto below = [&](double x) { return std::pow(cumulative(distribution, x), 2); };
      const auto above = [&](double x) { return std::pow(1 - cumulative(distribution, x), 2); };
      const double expected =
          integral(mean - far * scale, target, below) + integral(target, mean + far * scale, above);
      EXPECT_NEAR(crps(distribution, target), expected, 1e-7 * scale);
    }
  }
}

TEST(DistributionTest, HasTheQuantilesThatItCumulatesTo) {
  for (const Distribution& distribution : kDistributions) {
    for (const double probability : {1e-12, 1e-5, 0.1, 0.499, 0.5, 0.75, 0.99, 1 - 1e-9}) {
      SCOPED_TRACE(::testing::Message() << distribution.df << " at " << probability);
      const double value = quantile(distribution, probability);
      const double tail = std::fmin(probability, 1 - probability);
      EXPECT_NEAR(cumulative(distribution, value), probability, 1e-9 * tail + 1e-15);
    }
    EXPECT_EQ(quantile(distribution, 0.5), distribution.mean);
  }
}

TEST(DistributionTest, HasScalesAndDegreesOfAnyOutputs) {
  for (const float output : {-1000.0F, -20.0F, 0.0F, 20.0F, 1000.0F}) {
    const std::array<float, 3> outputs{1.5F, output, output};
    const Distribution t = distribution_of(LossKind::student_t, outputs);
    EXPECT_EQ(t.mean, 1.5);
    EXPECT_NEAR(t.scale, std::fmax(output, 0) + (std::abs(output) < 1 ? std::log(2) : 0), 2e-6);
    EXPECT_NEAR(t.df, 1.999999 + t.scale, 1e-12);
    EXPECT_EQ(distribution_of(LossKind::gaussian, outputs).df, 0);
    std::array<double, 3> slopes{};
    EXPECT_TRUE(std::isfinite(negative_log_likelihood(t, outputs, 1, slopes)));
    for (const double slope : slopes) EXPECT_TRUE(std::isfinite(slope)) << output;
  }
}

}  // namespace
}  // namespace quadgate
