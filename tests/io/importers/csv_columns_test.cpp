// Sweeps: tables with and without names, times and groups, and every option that does not fit.

#include "io/importers/csv_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using Record = std::vector<std::string>;

CsvColumns find(const Record& first, const Record& second, const CsvColumnOptions& options = {}) {
  return find_csv_columns(std::array{first, second}, options, "a.csv");
}

TEST(CsvColumnsTest, TakesAFirstColumnThatIsNoNumberForTheTime) {
  const CsvColumns columns = find({"date", "a", "b"}, {"2016-07-01", "1", "2"});
  EXPECT_TRUE(columns.has_header);
  EXPECT_EQ(columns.time, 0);
  EXPECT_EQ(columns.group, std::nullopt);
  EXPECT_THAT(columns.features, ElementsAre(1, 2));
  EXPECT_EQ(find({"a", "b"}, {"1", "2"}).time, std::nullopt);
  EXPECT_EQ(find({"a", "b"}, {"", "2"}).time, std::nullopt) << "missing is no time";
}

TEST(CsvColumnsTest, NumbersColumnsWithoutNames) {
  const CsvColumns columns = find({"2016-07-01 00:00", "1,5", ""}, {"2016-07-01 01:00", "2", "3"});
  EXPECT_FALSE(columns.has_header);
  EXPECT_THAT(columns.names, ElementsAre("0", "1", "2"));
  EXPECT_EQ(columns.time, 0);
  EXPECT_THAT(columns.features, ElementsAre(1, 2));
}

TEST(CsvColumnsTest, ReadsWhatIsAskedFor) {
  const Record names{"t", "city", "a", "b"};
  const Record values{"1", "Ulm", "2", "3"};
  const CsvColumns columns =
      find(names, values, {.features = {"b", "a"}, .time = "t", .group = "city"});
  EXPECT_EQ(columns.time, 0);
  EXPECT_EQ(columns.group, 1);
  EXPECT_THAT(columns.features, ElementsAre(3, 2));
  EXPECT_THAT(find(names, values, {.group = "city"}).features, ElementsAre(0, 2, 3));
  EXPECT_THAT(find({"city", "a"}, {"Ulm", "2"}, {.group = "city"}).features, ElementsAre(1));
}

TEST(CsvColumnsTest, NamesWhatDoesNotFit) {
  const Record names{"t", "a", "a"};
  const Record values{"x", "2", "3"};
  EXPECT_EQ(message_of<InvalidArgument>([&] { find(names, values, {.time = "b"}); }),
            "a.csv: time: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<InvalidArgument>([&] { find(names, values, {.group = "b"}); }),
            "a.csv: group: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<InvalidArgument>([&] { find(names, values, {.features = {"b"}}); }),
            "a.csv: columns: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<FileError>([&] { find(names, values); }),
            "a.csv: expected names that differ from each other, found 'a' twice or empty");
  EXPECT_EQ(message_of<FileError>([&] { find({"t"}, {"x"}); }),
            "a.csv: expected a column of numbers beside the time stamp");
}

TEST(CsvColumnsTest, LeavesTheIndexOfPandasOut) {
  for (const char* name : {"", "Unnamed: 0"}) {
    const CsvColumns columns = find({name, "a", "b"}, {"7", "1", "2"});
    EXPECT_THAT(columns.features, ElementsAre(1, 2));
    EXPECT_THAT(columns.left_out, ElementsAre(0));
    EXPECT_EQ(columns.time, std::nullopt);
  }
  EXPECT_EQ(find({"", "a"}, {"2016-07-01", "1"}).time, 0) << "an index of times";
  EXPECT_EQ(find({"", "date", "a"}, {"0", "2016-07-01", "1"}).time, 1) << "behind the index";
  EXPECT_EQ(find({"city", "date", "a"}, {"Ulm", "2016-07-01", "1"}, {.group = "city"}).time, 1);
  EXPECT_EQ(find({"", "name", "a"}, {"0", "x", "1"}).time, std::nullopt) << "that is to be told";
  const CsvColumns asked = find({"", "a"}, {"7", "1"}, {.features = {"Unnamed: 0"}});
  EXPECT_THAT(asked.features, ElementsAre(0));
}

TEST(CsvColumnsTest, KnowsNamesThatAreNumbers) {
  EXPECT_TRUE(find({"0", "1", "2"}, {"5", "7", "6"}).has_header);
  EXPECT_TRUE(find({"", "0", "1"}, {"0", "6", "7"}).has_header) << "with an index";
  EXPECT_FALSE(find({"0", "1", "2"}, {"3", "4", "5"}).has_header) << "rows go on counting";
  EXPECT_FALSE(find({"0", "1", "2"}, {"1", "2", "3"}).has_header);
  EXPECT_FALSE(find({"0", "1"}, {"5", "6"}).has_header);
  EXPECT_FALSE(find({"0", "1", "3"}, {"5", "6", "7"}).has_header);
}

TEST(CsvColumnsTest, NamesFeaturesThatLookLikeTime) {
  EXPECT_THAT(find({"a", "Year", "day_of_week"}, {"1", "2", "3"}).time_like, ElementsAre(1, 2));
  EXPECT_THAT(find({"a", "year"}, {"1", "2"}, {.features = {"year"}}).time_like, ElementsAre());
  EXPECT_THAT(find_csv_columns(std::array<Record, 3>{{{"a", "b", "c"},
                                                      {"20200101", "1577836800", "20200101"},
                                                      {"20200102", "1577836860", "20200101"}}},
                               {}, "a.csv")
                  .time_like,
              ElementsAre(0, 1))
      << "by their values";
  EXPECT_THAT(find({"daylight", "yearly"}, {"1", "2"}).time_like, ElementsAre());
}

TEST(CsvColumnsTest, QuotesNamesWithCommas) {
  const Record names{"a", "load, MW", "say \"hi\""};
  const std::string joined = R"(a, "load, MW", "say ""hi""")";
  EXPECT_EQ(join_names(names), joined);
  EXPECT_EQ(split_names(joined), names);
  EXPECT_EQ(join_names(names, 1), "a, ... (3 in all)");
  EXPECT_THROW(split_names("\"a"), InvalidArgument);
}

}  // namespace
}  // namespace quadgate
