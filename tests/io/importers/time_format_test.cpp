// Sweeps: columns of times in every form. The seconds are those of GNU date and of pandas'
// to_datetime (unit, and origin="1899-12-30" for days).

#include "io/importers/time_format.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace quadgate {
namespace {

constexpr double kTime = 1467379800;  // 2016-07-01 13:30

TimeFormat format_of(const std::vector<std::string_view>& values) { return TimeFormat(values); }

TEST(TimeFormatTest, TellsTheUnitOfNumbers) {
  struct Case {
    const char* first;
    const char* time;
    const char* name;
  };
  for (const auto& [first, time, name] :
       {Case{"2016-06-30", "2016-07-01 13:30", "dates"},
        Case{"201606302359", "201607011330", "dates as digits"},
        Case{"20160630235959", "20160701133000", "dates as digits"},
        Case{"1467379799", "1467379800", "seconds since 1970"},
        Case{"1467379799000", "1467379800000", "milliseconds since 1970"},
        Case{"1467379799000000", "1467379800000000", "microseconds since 1970"},
        Case{"1467379799000000000", "1467379800000000000", "nanoseconds since 1970"},
        Case{"42551", "42552.5625", "days since 1899-12-30"}}) {
    const TimeFormat format = format_of({"", first, time});
    EXPECT_EQ(format.name(), name);
    EXPECT_EQ(format.parse(time), kTime) << name;
    EXPECT_EQ(format.parse_border("2016-07-01 13:30"), kTime) << name;
    EXPECT_EQ(format.parse_border("20160701"), 1467331200) << name;
    EXPECT_EQ(format.parse_border("2016"), 1451606400) << name;
    EXPECT_EQ(format.parse_border(time), kTime) << name;
    EXPECT_EQ(format.format(kTime), "2016-07-01 13:30");
    EXPECT_EQ(format.parse("x"), std::nullopt);
  }
  EXPECT_EQ(format_of({"20160701"}).parse("20160701"), 1467331200);
  EXPECT_EQ(format_of({"20160701"}).parse("20160732"), std::nullopt);
  EXPECT_EQ(format_of({"1467379799"}).parse("1467379799000"), std::nullopt) << "another unit";
  EXPECT_EQ(format_of({"43831"}).parse("43831.0416666667"), 1577840400) << "as spreadsheets round";
}

TEST(TimeFormatTest, TellsWhetherTheDayIsFirst) {
  for (const auto& [values, name, time] :
       {std::tuple{std::vector<std::string_view>{"6/1/2016", "6/13/2016"}, "dates, month first",
                   "7/1/2016 13:30"},
        {{"1/6/2016", "13/6/2016"}, "dates, day first", "1/7/2016 13:30"},
        {{"1.6.2016"}, "dates", "1.7.2016 13:30"}}) {
    const TimeFormat format(values);
    EXPECT_EQ(format.name(), name);
    EXPECT_EQ(format.parse(time), kTime);
    EXPECT_EQ(format.parse_border(time), kTime);
    EXPECT_EQ(format.parse_border("2016-07-01 13:30"), kTime);
    EXPECT_TRUE(format.is_calendar());
  }
  const std::vector<std::string_view> both{"1/6/2016", "", "12/6/2016"};
  EXPECT_EQ(TimeFormat(both).name(), "dates, day or month first");
  EXPECT_TRUE(TimeFormat(both).is_ambiguous());
  EXPECT_EQ(TimeFormat(both).parse("1/6/2016"), std::nullopt);
  EXPECT_FALSE(TimeFormat(both).is_calendar());
  EXPECT_EQ(TimeFormat(both, DateOrder::day_first).parse("1/7/2016 13:30"), kTime);
  EXPECT_EQ(TimeFormat(both, DateOrder::month_first).parse("7/1/2016 13:30"), kTime);
  EXPECT_EQ(format_of({"13/1/2016", "1/13/2016"}).name(), "text");
}

TEST(TimeFormatTest, KeepsNumbersThatAreNoTimes) {
  for (const auto& values : {std::vector<std::string_view>{"1", "2"},
                             {"2016", "2017"},
                             {"-1e9"},
                             {"1467379800", "3"},
                             {"20160701", "20160732"}}) {
    const TimeFormat format(values);
    EXPECT_EQ(format.name(), "numbers") << values[0];
    EXPECT_EQ(format.parse("17"), 17);
    EXPECT_EQ(format.parse_border("17"), 17);
    EXPECT_EQ(format.parse_border("2016-07-01"), std::nullopt);
    EXPECT_EQ(format.format(17), "17");
  }
}

TEST(TimeFormatTest, WritesFractionsOfSeconds) {
  constexpr double kSecond = 1467379800;
  const TimeStep second{TimeStep::Unit::seconds, 1};
  const TimeStep tenth{TimeStep::Unit::seconds, 0.1};
  const TimeFormat dates = TimeFormat::of_name("dates");
  EXPECT_EQ(dates.write(kSecond, second), "2016-07-01 13:30:00");
  EXPECT_EQ(dates.write(kSecond + 0.5, second), "2016-07-01 13:30:00.500000");
  EXPECT_EQ(dates.write(kSecond + 0.1, tenth), "2016-07-01 13:30:00.100000");
  EXPECT_EQ(dates.write(kSecond + 1, tenth), "2016-07-01 13:30:01.000000");
  EXPECT_EQ(dates.write(kSecond + 0.9999999, tenth), "2016-07-01 13:30:01.000000");
  const TimeFormat seconds = TimeFormat::of_name("seconds since 1970");
  EXPECT_EQ(seconds.write(kSecond, tenth), "1467379800");
  EXPECT_EQ(seconds.write(kSecond + 0.7, tenth), "1467379800.7");
  EXPECT_EQ(TimeFormat::of_name("milliseconds since 1970").write(kSecond + 0.123457, tenth),
            "1467379800123.457");
  EXPECT_EQ(TimeFormat::of_name("nanoseconds since 1970").write(kSecond + 0.5, tenth),
            "1467379800500000000");
}

TEST(TimeFormatTest, KnowsText) {
  for (const auto& values : {std::vector<std::string_view>{}, {"", "NA"}, {"Ulm"}, {"1", "Ulm"}}) {
    EXPECT_EQ(TimeFormat(values).name(), "text");
    EXPECT_EQ(TimeFormat(values).parse("1"), std::nullopt);
    EXPECT_EQ(TimeFormat(values).parse_border("2016"), std::nullopt);
  }
}

}  // namespace
}  // namespace quadgate
