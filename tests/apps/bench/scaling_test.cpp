// Sweeps the arithmetic of scaling reports on numbers that follow the laws exactly. Tolerance: a
// few roundings of doubles, or those printed here by hand.

#include "apps/bench/scaling.h"

#include <gmock/gmock.h>

namespace quadgate::apps {
namespace {

constexpr double kRounding = 1e-14;

TEST(SpreadTest, QuartilesAreThoseOfNumpy) {
  // numpy.quantile([4, 1, 3, 10], [0.5, 0.25, 0.75, 0, 1])
  const Spread spread = spread_of({4, 1, 3, 10});
  EXPECT_DOUBLE_EQ(spread.median, 3.5);
  EXPECT_DOUBLE_EQ(spread.q1, 2.5);
  EXPECT_DOUBLE_EQ(spread.q3, 5.5);
  EXPECT_EQ(spread.min, 1);
  EXPECT_EQ(spread.max, 10);
  const Spread one = spread_of({7});
  EXPECT_EQ(one.q1, 7);
  EXPECT_EQ(one.max, 7);
}

TEST(SerialFractionTest, FindsTheOneOfExactSpeedUps) {
  const std::vector<double> ratios = {1, 2, 4, 64};
  for (const double f : {0.0, 0.1, 0.5, 1.0, -0.05}) {
    std::vector<double> amdahl;
    std::vector<double> gustafson;
    for (const double r : ratios) {
      amdahl.push_back(1 / (f + (1 - f) / r));
      gustafson.push_back(f + (1 - f) * r);
    }
    EXPECT_NEAR(serial_fraction(false, ratios, amdahl).value(), f, kRounding);
    EXPECT_NEAR(serial_fraction(true, ratios, gustafson).value(), f, kRounding);
  }
}

TEST(SerialFractionTest, TakesTheLeastSquaresOfOthers) {
  // Weak: x = r - 1 = 1, 3 and y = r - S = 0.2, 0.2, so f = (0.2 + 0.6) / (1 + 9).
  EXPECT_NEAR(serial_fraction(true, std::vector{2.0, 4.0}, std::vector{1.8, 3.8}).value(), 0.08,
              kRounding);
}

TEST(SerialFractionTest, NeedsTwoThreadCounts) {
  EXPECT_EQ(serial_fraction(false, std::vector{1.0}, std::vector{1.0}), std::nullopt);
}

TEST(SummarizeTest, ComparesEachRepeatWithTheSameRepeatAtTheFewestThreads) {
  // The machine is half as fast in the second repeat, in all it does.
  const std::vector<ScalingSample> base_samples = {{2, 100, 6}, {4, 50, 12}, {2, 100, 6}};
  const std::vector<ScalingSample> samples = {{1, 360, 3}, {2, 180, 6}, {1, 360, 3}};
  ScalingPoint base;
  base.threads = 2;
  base.step_flops = 50;
  ScalingPoint point;
  point.threads = 8;
  point.step_flops = 75;
  summarize(point, samples, base, base_samples);
  EXPECT_EQ(point.step_seconds.median, 1);
  EXPECT_EQ(point.step_seconds.max, 2);
  EXPECT_DOUBLE_EQ(point.rate.median, 75);
  EXPECT_DOUBLE_EQ(point.peak_share.min, 75.0 / 360);
  EXPECT_DOUBLE_EQ(point.peak_share.max, 75.0 / 360);
  // Half the time for one and a half times the work.
  EXPECT_DOUBLE_EQ(point.speed_up.min, 3);
  EXPECT_DOUBLE_EQ(point.speed_up.max, 3);
  EXPECT_DOUBLE_EQ(point.efficiency, 0.75);
  EXPECT_DOUBLE_EQ(point.peak_efficiency, 0.9);
  EXPECT_DOUBLE_EQ(point.efficiency_over_peak, 0.75 / 0.9);
  EXPECT_DOUBLE_EQ(point.torch.value().ratio.median, 3);
  EXPECT_DOUBLE_EQ(point.torch.value().speed_up.median, 3);
}

TEST(SummarizeTest, WhatAStepDoesNotWaitForIsHidden) {
  const std::vector<ScalingSample> base_samples(3, {.step_seconds = 8, .peak = 100});
  const auto sample = [](double exchange, double wait) {
    return ScalingSample{
        .step_seconds = 2, .peak = 400, .exchange_seconds = exchange, .wait_seconds = wait};
  };
  ScalingPoint base;
  base.threads = 1;
  base.step_flops = 50;
  ScalingPoint point = base;
  point.ranks = 2;
  point.threads = 4;
  point.communication.emplace();
  summarize(point, std::vector{sample(3, 1), sample(5, 1), sample(3, 4)}, base, base_samples);
  EXPECT_EQ(point.cores(), 8);
  EXPECT_DOUBLE_EQ(point.speed_up.median, 4);
  EXPECT_DOUBLE_EQ(point.efficiency, 0.5);
  EXPECT_EQ(point.communication->exchange.median, 3);
  EXPECT_EQ(point.communication->exposed.max, 4);
  EXPECT_EQ(point.communication->hidden.median, 2);
  EXPECT_EQ(point.communication->hidden.min, 0);
  EXPECT_EQ(name_of(point, true), "2 ranks of 4 threads");
  EXPECT_EQ(name_of(base, true), "1 rank of 1 thread");
  EXPECT_EQ(name_of(base, false), "1 thread");
}

}  // namespace
}  // namespace quadgate::apps
