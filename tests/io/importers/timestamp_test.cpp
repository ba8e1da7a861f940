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

TEST(TimestampTest, TakesIso8601WithoutColonsAndOfHours) {
  EXPECT_EQ(parse_timestamp("2016-07-01T13"), 1467378000);
  EXPECT_EQ(parse_timestamp("2016-07-01 13"), 1467378000);
  EXPECT_EQ(parse_timestamp("2016-07-01T13Z"), 1467378000);
  EXPECT_EQ(parse_timestamp("2016-07-01T13+02"), 1467370800);
  EXPECT_EQ(parse_timestamp("20160701T13"), 1467378000);
  EXPECT_EQ(parse_timestamp("20160701T1330"), 1467379800);
  EXPECT_EQ(parse_timestamp("20160701 1330"), 1467379800);
  EXPECT_EQ(parse_timestamp("20160701T133005Z"), 1467379805);
  EXPECT_EQ(parse_timestamp("20160701T133005.25-0530"), 1467399605.25);
  EXPECT_EQ(parse_timestamp("20160701T13:30:05"), 1467379805);
}

TEST(TimestampTest, TakesSlashesAndTheDayFirst) {
  EXPECT_EQ(parse_timestamp("2016/07/01 13:30:05"), 1467379805);
  EXPECT_EQ(parse_timestamp("01.07.2016 13:30:05"), 1467379805);
  EXPECT_EQ(parse_timestamp("01.07.2016"), 1467331200);
}

TEST(TimestampTest, TakesMonths) {
  EXPECT_EQ(parse_timestamp("2016-07"), 1467331200);
  EXPECT_EQ(parse_timestamp("2016/07"), 1467331200);
}

TEST(TimestampTest, TakesDigitsAlone) {
  EXPECT_EQ(parse_compact_timestamp("20160701"), 1467331200);
  EXPECT_EQ(parse_compact_timestamp("2016070113"), 1467378000);
  EXPECT_EQ(parse_compact_timestamp("201607011330"), 1467379800);
  EXPECT_EQ(parse_compact_timestamp("20160701133005"), 1467379805);
  for (const char* text : {"", "2016", "201607", "20160732", "18990701", "21010701", "2016070124",
                           "201607011360", "2016-07-01", "-2016070", "2016070x", "2016.0701"}) {
    EXPECT_EQ(parse_compact_timestamp(text), std::nullopt) << text;
  }
}

TEST(TimestampTest, FormatsWhatItParses) {
  for (const char* text : {"2016-07-01", "2016-07-01 13:30", "2016-07-01 13:30:05",
                           "1969-12-31 23:59", "2000-02-29"}) {
    EXPECT_EQ(format_timestamp(parse_timestamp(text).value()), text);
  }
  EXPECT_EQ(format_timestamp(1e300), "1e+300");
}

TEST(TimestampTest, TakesNumbersOfOneDigit) {
  EXPECT_EQ(parse_timestamp("2016-7-1"), 1467331200);
  EXPECT_EQ(parse_timestamp("2016/7/1 0:00"), 1467331200);
  EXPECT_EQ(parse_timestamp("1.7.2016 0:00"), 1467331200);
}

TEST(TimestampTest, TakesHalvesOfDays) {
  EXPECT_EQ(parse_timestamp("2016-07-01 1:30:05 PM"), 1467379805);
  EXPECT_EQ(parse_timestamp("2016-07-01 12:00AM"), 1467331200);
  EXPECT_EQ(parse_timestamp("2016-07-01 12:00 pm"), 1467374400);
}

TEST(TimestampTest, TakesTheYearBehindInTheOrderThatIsSaid) {
  EXPECT_EQ(parse_timestamp("7/1/2016 1:30 PM", DateOrder::month_first), 1467379800);
  EXPECT_EQ(parse_timestamp("1/7/2016 13:30", DateOrder::day_first), 1467379800);
  EXPECT_EQ(parse_timestamp("01-07-2016", DateOrder::day_first), 1467331200);
  for (const char* text : {"", "1/7", "7/1/16", "7/1-2016", "7/32/2016", "13/1/2016", "2016/7/1",
                           "7/1/2016x", "7.1.2016"}) {
    EXPECT_EQ(parse_timestamp(text, DateOrder::month_first), std::nullopt) << text;
  }
  EXPECT_TRUE(looks_like_time("7/13/2016"));
  EXPECT_TRUE(looks_like_time("13/7/2016"));
  EXPECT_FALSE(looks_like_time("13/13/2016"));
}

TEST(TimestampTest, RefusesAllElse) {
  for (const char* text : {"",
                           " ",
                           "x",
                           "2016-02-30",
                           "2015-02-29",
                           "2016-13-01",
                           "2016-07-01 25:61",
                           "2016-07-01 1",
                           "2016-07-01T133",
                           "2016-07-01T1330:05",
                           "2016-07-01T13:3005",
                           "2016-07-01T133005.",
                           "2016-07-01T25Z",
                           "20160701",
                           "20160732T13",
                           "2016070T13",
                           "20160701x",
                           "20160701 ",
                           "2016-07-01 13:30:",
                           "2016-07-01x",
                           "2016-07-01 ",
                           "7/1/2016",
                           "2016-07-01 13:30:05.",
                           "2016-07-01 13:30:05+",
                           "2016-07-01 13:30:05Zx",
                           "01.07.16",
                           "1.7.16",
                           "2016-7",
                           "2016-07-01 13:30 PM",
                           "2016-07-01 0:30 AM",
                           "2016-07-01 1:30 XM",
                           "2016-007-01",
                           "2016-07/01",
                           "nan",
                           "inf",
                           "17",
                           "-2.5",
                           "2016-13",
                           "1,5"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace quadgate
