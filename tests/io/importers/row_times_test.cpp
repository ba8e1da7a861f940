#include "io/importers/row_times.h"

#include <gtest/gtest.h>

#include <vector>

namespace quadgate {
namespace {

TimeSteps steps_of(const std::vector<double>& times) {
  TimeSteps steps;
  for (std::size_t i = 1; i < times.size(); ++i) steps.add(times[i - 1], times[i]);
  return steps;
}

// 0.1 apart in decimal, but not in doubles.
TEST(TimeStepsTest, AreTheSameButForRounding) {
  for (const double start : {0.0, 1.7e9}) {
    std::vector<double> times;
    times.reserve(101);
    for (int i = 0; i < 100; ++i) times.push_back(start + i / 10.0);
    const TimeStep tenth{TimeStep::Unit::seconds, 0.1};
    EXPECT_EQ(steps_of(times).step(true), tenth);
    EXPECT_EQ(steps_of(times).others(tenth), 0);
    times.push_back(times.back() + 0.2);
    EXPECT_EQ(steps_of(times).step(true), tenth);
    EXPECT_EQ(steps_of(times).others(tenth), 1);
    EXPECT_EQ(steps_of(times).gaps(), 1);
  }
}

TEST(TimeStepsTest, OfThirdsThatWereWrittenAsDecimalsAreOne) {
  const TimeSteps steps = steps_of({0, 0.333333, 0.666667, 1, 1.333333, 1.666667, 2});
  EXPECT_EQ(steps.others(steps.step(false)), 0);
}

TEST(RowTimesTest, ExpectsTheNextTimeBehindTheLatest) {
  const TimeStep hour{TimeStep::Unit::seconds, 3600};
  RowTimes times("", "");
  times.begin("a.csv", "at", TimeFormat::of_name("dates"));
  EXPECT_EQ(times.expected_next(0, 5, hour), "");  // no row is before it
  times.add(0, 7200);
  times.add(0, 0);
  EXPECT_EQ(times.expected_next(0, 10800, hour), "");
  for (const double time : {3600.0, 7200.0, 9000.0, 14400.0}) {
    EXPECT_EQ(times.expected_next(0, time, hour),
              "1970-01-01 03:00:00, 1h behind the latest row before it");
  }
  EXPECT_EQ(times.expected_next(0, 7201, {}), "");
  EXPECT_EQ(times.expected_next(0, 7200, {}), "a time behind 1970-01-01 02:00:00");
  EXPECT_EQ(times.expected_next(1, 5, hour), "");
}

}  // namespace
}  // namespace quadgate
