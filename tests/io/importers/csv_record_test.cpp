// Sweeps: the forms of RFC 4180 and of programs that do not keep to it. The truth is the RFC.

#include "io/importers/csv_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace quadgate {
namespace {

using ::testing::ElementsAre;

TEST(CsvRecordTest, CutsFields) {
  CsvRecord record(',');
  ASSERT_TRUE(record.add_line("a,b c,,4"));
  EXPECT_THAT(record.fields(), ElementsAre("a", "b c", "", "4"));
  ASSERT_TRUE(record.add_line(" x , \ty\t,\r"));
  EXPECT_THAT(record.fields(), ElementsAre("x", "y", ""));
}

TEST(CsvRecordTest, CutsAtOtherDelimiters) {
  CsvRecord semicolons(';');
  ASSERT_TRUE(semicolons.add_line("1,5;2"));
  EXPECT_THAT(semicolons.fields(), ElementsAre("1,5", "2"));
  CsvRecord tabs('\t');
  ASSERT_TRUE(tabs.add_line("a b\t\tc"));
  EXPECT_THAT(tabs.fields(), ElementsAre("a b", "", "c"));
}

TEST(CsvRecordTest, TakesQuotes) {
  CsvRecord record(',');
  ASSERT_TRUE(record.add_line(R"("a,b","say ""hi""", "c" ,"")"));
  EXPECT_THAT(record.fields(), ElementsAre("a,b", "say \"hi\"", "c", ""));
}

TEST(CsvRecordTest, GoesOnInTheNextLineInsideQuotes) {
  CsvRecord record(',');
  EXPECT_FALSE(record.add_line("1,\"two"));
  EXPECT_TRUE(record.is_open());
  EXPECT_FALSE(record.add_line(""));
  ASSERT_TRUE(record.add_line("lines\",3"));
  EXPECT_FALSE(record.is_open());
  EXPECT_THAT(record.fields(), ElementsAre("1", "two\n\nlines", "3"));
}

TEST(CsvRecordTest, LeavesEmptyLinesOut) {
  CsvRecord record(',');
  EXPECT_FALSE(record.add_line(""));
  EXPECT_FALSE(record.add_line(" \r"));
  EXPECT_FALSE(record.is_open());
  ASSERT_TRUE(record.add_line(","));
  EXPECT_THAT(record.fields(), ElementsAre("", ""));
}

TEST(CsvRecordTest, TakesLongFields) {
  CsvRecord record(',');
  const std::string longest(100'000, 'x');
  ASSERT_TRUE(record.add_line(longest + ",y," + longest));
  EXPECT_THAT(record.fields(), ElementsAre(longest, "y", longest));
}

}  // namespace
}  // namespace quadgate
