// Sweeps: the forms of ISO 8601 and others. The seconds are those of GNU date (`date -d T +%s`).

#include "io/importers/timestamp.h"

#include <gtest/gtest.h>

namespace quadgate {
namespace {

TEST(TimestampTest, TakesIso8601) {
  EXPECT_EQ(parse_timestamp("1970-01-01"), 0);
  EXPECT_EQ(parse_timestamp("2016-07-01"), 1467331200);
  EXPECT_EQ(parse_timestamp("2016-07-01 13:30"), 1467379800);
  EXPECT_EQ(parse_timestamp("2016-07-01 13:30:05"), 1467379805);
  EXPECT_EQ(parse_timestamp("2016-07-01T13:30:05Z"), 1467379805);
  EXPECT_EQ(parse_timestamp("2016-07-01T13:30:05.25"), 1467379805.25);
  EXPECT_EQ(parse_timestamp("2016-07-01T13:30:05+02:00"), 1467372605);
  EXPECT_EQ(parse_timestamp("2016-07-01T13:30:05-0530"), 1467399605);
  EXPECT_EQ(parse_timestamp("2016-07-01 13:30:05+02"), 1467372605);
  EXPECT_EQ(parse_timestamp("2000-02-29"), 951782400);
  EXPECT_EQ(parse_timestamp("1969-12-31 23:59:59"), -1);
}

TEST(TimestampTest, TakesSlashesAndTheDayFirst) {
  EXPECT_EQ(parse_timestamp("2016/07/01 13:30:05"), 1467379805);
  EXPECT_EQ(parse_timestamp("01.07.2016 13:30:05"), 1467379805);
  EXPECT_EQ(parse_timestamp("01.07.2016"), 1467331200);
}

TEST(TimestampTest, TakesNumbers) {
  EXPECT_EQ(parse_timestamp("17"), 17);
  EXPECT_EQ(parse_timestamp("-2.5"), -2.5);
  EXPECT_EQ(parse_timestamp("1467331200"), 1467331200);
}

TEST(TimestampTest, RefusesAllElse) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "2016-7-1",
                           "2016-02-30",
                           "2015-02-29",
                           "2016-13-01",
                           "2016-07-01 25:61",
                           "2016-07-01 13",
                           "2016-07-01 13:30:",
                           "2016-07-01x",
                           "2016-07-01 ",
                           "7/1/2016",
                           "2016-07-01 13:30:05.",
                           "2016-07-01 13:30:05+",
                           "2016-07-01 13:30:05Zx",
                           "01.07.16",
                           "2016-07/01",
                           "nan",
                           "inf",
                           "1,5"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace quadgate
