// Sweeps: tables with and without names, times and groups, and every option that does not fit.

#include "io/importers/csv_columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using Record = std::vector<std::string>;

CsvColumns find(const Record& first, const Record& second, const CsvColumnOptions& options = {},
                char decimal = '.') {
  return find_csv_columns(first, second, decimal, options, "a.csv:1");
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
  const CsvColumns columns =
      find({"2016-07-01 00:00", "1,5", ""}, {"2016-07-01 01:00", "2", "3"}, {}, ',');
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
            "time: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<InvalidArgument>([&] { find(names, values, {.group = "b"}); }),
            "group: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<InvalidArgument>([&] { find(names, values, {.features = {"b"}}); }),
            "columns: expected one of the columns t, a, a, found 'b'");
  EXPECT_EQ(message_of<FileError>([&] { find(names, values); }),
            "a.csv:1: expected names that differ from each other, found 'a' twice or empty");
  EXPECT_EQ(message_of<FileError>([&] { find({"t"}, {"x"}); }),
            "a.csv:1: expected a column of numbers beside the time stamp");
}

TEST(CsvColumnsTest, ParsesDecimals) {
  EXPECT_EQ(parse_decimal("1.5", '.'), 1.5F);
  EXPECT_EQ(parse_decimal("1,5", ','), 1.5F);
  EXPECT_EQ(parse_decimal("-1,5e2", ','), -150.0F);
  EXPECT_EQ(parse_decimal("15", ','), 15.0F);
  EXPECT_EQ(parse_decimal("1,5", '.'), std::nullopt);
  EXPECT_EQ(parse_decimal("1.234,5", ','), std::nullopt);
  EXPECT_EQ(parse_decimal("1,2,3", ','), std::nullopt);
  EXPECT_EQ(parse_decimal("1.234", ','), std::nullopt) << "thousands, or another decimal sign";
  EXPECT_EQ(parse_decimal("", ','), std::nullopt);
}

}  // namespace
}  // namespace quadgate
