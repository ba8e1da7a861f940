// Sweeps: rows that are dense, sparse and missing, several series that take turns. The means are
// those of pandas' resample, which tests/torch/tables_test.py compares with. Tolerance: none.

#include "io/importers/resampler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <string>

#include "engine/base/error.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

class ResamplerTest : public ::testing::Test {
 protected:
  std::string add(std::size_t series, double time, double value) {
    return resampler_.add(series, time, std::array{value, 2 * value});
  }

  std::vector<std::string> rows_;  // that came out
  Resampler resampler_{60, 2, [this](std::size_t series, double time, std::span<double> row) {
                         EXPECT_TRUE(row[1] == 2 * row[0] || row[0] != row[0]);
                         rows_.push_back(std::to_string(series) + " " + std::to_string(int(time)) +
                                         " " + std::to_string(row[0]).substr(0, 3));
                       }};
};

TEST_F(ResamplerTest, GivesTheMeanOfEachStep) {
  EXPECT_EQ(add(0, 120, 1), "");
  EXPECT_EQ(add(0, 179, 2), "");
  EXPECT_EQ(add(0, 140, kUnknown), "");
  EXPECT_EQ(add(0, 180, 5), "");
  EXPECT_THAT(rows_, ElementsAre("0 120 1.5"));
  EXPECT_EQ(add(0, 179, 2), "a time in or behind the step of the row before (--resample)");
  resampler_.finish();
  EXPECT_THAT(rows_, ElementsAre("0 120 1.5", "0 180 5.0"));
}

TEST_F(ResamplerTest, GivesStepsWithoutRows) {
  add(0, -61, 1);
  add(0, 60, kUnknown);
  resampler_.finish();
  EXPECT_THAT(rows_, ElementsAre("0 -120 1.0", "0 -60 nan", "0 0 nan", "0 60 nan"));
}

TEST_F(ResamplerTest, KeepsSeriesApart) {
  add(0, 0, 1);
  add(1, 600, 2);
  add(0, 60, 3);
  resampler_.finish();
  EXPECT_THAT(rows_, ElementsAre("0 0 1.0", "0 60 3.0", "1 600 2.0"));
}

TEST_F(ResamplerTest, RefusesEndlessGaps) {
  add(0, 0, 1);
  EXPECT_EQ(add(0, 1e9 * 60, 1),
            "at most 10000000 steps without a row before it (--resample), not 999999999");
}

TEST(TimeStepTest, ParsesSteps) {
  EXPECT_EQ(parse_time_step("30s"), 30);
  EXPECT_EQ(parse_time_step("15min"), 900);
  EXPECT_EQ(parse_time_step("2h"), 7200);
  EXPECT_EQ(parse_time_step("1d"), 86400);
  for (const char* text : {"", "h", "0h", "-1h", "1.5h", "1 h", "1w", "99999999999h"}) {
    EXPECT_THROW(parse_time_step(text), InvalidArgument) << text;
  }
}

}  // namespace
}  // namespace quadgate
