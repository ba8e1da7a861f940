// Sweeps: steps of every unit, from times that each calendar has; texts of steps and back.
// Tolerance: none, times are whole seconds.

#include "io/data/time_step.h"

#include <gtest/gtest.h>

#include <chrono>

namespace quadgate {
namespace {

using Unit = TimeStep::Unit;

double at(int year, unsigned month, unsigned day, int hour = 0) {
  const std::chrono::sys_days days(std::chrono::year(year) / static_cast<int>(month) /
                                   static_cast<int>(day));
  return 86400.0 * static_cast<double>(days.time_since_epoch().count()) + 3600.0 * hour;
}

TEST(TimeStepTest, GoesOnByTheCalendar) {
  EXPECT_EQ(time_after(at(2020, 1, 1, 23), {Unit::seconds, 3600}, 2), at(2020, 1, 2, 1));
  EXPECT_EQ(time_after(at(2020, 11, 15, 6), {Unit::months, 1}, 3), at(2021, 2, 15, 6));
  EXPECT_EQ(time_after(at(2020, 1, 31), {Unit::months, 1}), at(2020, 2, 29));
  EXPECT_EQ(time_after(at(2020, 2, 29), {Unit::months, 12}), at(2021, 2, 28));
  EXPECT_EQ(time_after(at(2020, 2, 29), {Unit::month_ends, 1}), at(2020, 3, 31));
  EXPECT_EQ(time_after(at(2020, 12, 31), {Unit::month_ends, 3}), at(2021, 3, 31));
  EXPECT_EQ(time_after(at(2021, 1, 1), {Unit::weekdays, 1}), at(2021, 1, 4));  // a Friday
  EXPECT_EQ(time_after(at(1959, 7, 31), {Unit::month_ends, 1}), at(1959, 8, 31));
  EXPECT_EQ(time_after(1959.25, {Unit::numbers, 0.25}, 3), 1960);
}

TEST(TimeStepTest, GoesOnForManySteps) {
  for (unsigned start = 1; start <= 7; ++start) {
    double time = at(2021, 1, start);
    for (int steps = 1; steps < 30; ++steps) {
      const double next = time_after(time, {Unit::weekdays, 1});
      EXPECT_EQ(time_after(at(2021, 1, start), {Unit::weekdays, 1}, steps), next) << steps;
      time = next;
    }
  }
  EXPECT_EQ(time_after(at(2021, 1, 1), {Unit::weekdays, 1}, 500'000), at(2021, 1, 1) + 7e5 * 86400);
  EXPECT_EQ(time_after(at(2000, 1, 1), {Unit::months, 1}, 12 * 7999), at(9999, 1, 1));
  for (const auto unit : {Unit::months, Unit::month_ends, Unit::weekdays}) {
    EXPECT_GT(time_after(at(2000, 1, 1), {unit, 1}, 400'000'000), kLatestTime);
  }
}

TEST(TimeStepTest, ReadsWhatItWrites) {
  for (const TimeStep& step :
       {TimeStep{Unit::seconds, 900}, TimeStep{Unit::seconds, 86400}, TimeStep{Unit::seconds, 0.5},
        TimeStep{Unit::seconds, 3601}, TimeStep{Unit::months, 1}, TimeStep{Unit::months, 12},
        TimeStep{Unit::month_ends, 3}, TimeStep{Unit::weekdays, 1},
        TimeStep{Unit::numbers, 0.25}}) {
    EXPECT_EQ(time_step_from_text(to_string(step)), step) << to_string(step);
  }
  EXPECT_EQ(to_string(TimeStep{Unit::seconds, 900}), "15min");
  EXPECT_EQ(to_string(TimeStep{Unit::month_ends, 3}), "3 month ends");
  EXPECT_EQ(to_string(TimeStep{}), "");
  for (const char* text :
       {"", "h", "-1h", "0", "1 moon", "0.5 months", "1e400", "nan", "1 month x"}) {
    EXPECT_FALSE(time_step_from_text(text)) << text;
  }
}

}  // namespace
}  // namespace quadgate
