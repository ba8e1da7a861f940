// Sweeps: the first and the last moments of each part's period, times before 1970 and between
// seconds. pandas is compared with in tests/torch/calendar_test.py. Tolerance: rounding of sin.

#include "io/data/calendar.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <numbers>
#include <string>
#include <vector>

namespace quadgate {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

constexpr double kLast1969 = -1;                // 1969-12-31 23:59:59, a Wednesday
constexpr double kLeapDay = 951782400 + 86399;  // 2000-02-29 23:59:59, a Tuesday

/// n / period of a part at a time.
double turn(const std::string& part, double time) {
  std::array<double, 2> values{};
  calendar_values(std::array{part}, time, values);
  const double angle = std::atan2(values[0], values[1]);
  return (angle < -1e-9 ? angle + 2 * std::numbers::pi : angle) / (2 * std::numbers::pi);
}

TEST(CalendarTest, TurnsOnceInEachPeriod) {
  EXPECT_NEAR(turn("minute", 59.5), 0, 1e-12);
  EXPECT_NEAR(turn("minute", kLast1969), 59.0 / 60, 1e-12);
  EXPECT_NEAR(turn("hour", 3600), 1.0 / 24, 1e-12);
  EXPECT_NEAR(turn("hour", kLast1969), 23.0 / 24, 1e-12);
  EXPECT_NEAR(turn("weekday", 0), 3.0 / 7, 1e-12) << "a Thursday";
  EXPECT_NEAR(turn("weekday", kLast1969), 2.0 / 7, 1e-12);
  EXPECT_NEAR(turn("day", kLeapDay), 28.0 / 31, 1e-12);
  EXPECT_NEAR(turn("day", kLast1969), 30.0 / 31, 1e-12);
  EXPECT_NEAR(turn("dayofyear", kLeapDay), 59 / 365.25, 1e-12);
  EXPECT_NEAR(turn("dayofyear", kLast1969), 364 / 365.25, 1e-12);
  EXPECT_NEAR(turn("month", kLeapDay), 1.0 / 12, 1e-12);
  EXPECT_NEAR(turn("month", kLast1969), 11.0 / 12, 1e-12);
}

TEST(CalendarTest, HasTwoFeaturesAPart) {
  const std::vector<std::string> parts{"month", "hour"};
  EXPECT_THAT(calendar_names(parts), ElementsAre("month_sin", "month_cos", "hour_sin", "hour_cos"));
  std::vector<double> values(4);
  calendar_values(parts, 6 * 3600, values);
  EXPECT_THAT(values, ElementsAre(0, 1, 1, DoubleNear(0, 1e-12)));
}

}  // namespace
}  // namespace quadgate
