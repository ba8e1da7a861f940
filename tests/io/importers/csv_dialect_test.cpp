// Sweeps: files as programs of several countries write them.

#include "io/importers/csv_dialect.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/importers/text.h"

namespace quadgate {
namespace {

char found(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) lines.emplace_back(cut(text, '\n'));
  return detect_delimiter(lines);
}

TEST(CsvDialectTest, FindsTheDelimiter) {
  EXPECT_EQ(found("date,a,b\n2016-07-01,1.5,2\n"), ',');
  EXPECT_EQ(found("date;a;b\n2016-07-01;1.5;2\n"), ';');
  EXPECT_EQ(found("date\ta\n2016-07-01\t1.5\n"), '\t');
  EXPECT_EQ(found("date|a\n2016-07-01|1.5\n"), '|');
  EXPECT_EQ(found("a\n1\n"), ',');
  EXPECT_EQ(found("a;b\n"), ';');
  EXPECT_EQ(found(""), ',');
}

TEST(CsvDialectTest, LooksOutsideQuotes) {
  EXPECT_EQ(found("\"T, in C, dry\";\"p, in mbar\"\n1;2\n"), ';');
}

TEST(CsvDialectTest, LooksAtMoreThanTheFirstLine) {
  EXPECT_EQ(found("time;load, MW, gross\n01.01.2020;1\n01.02.2020;2\n"), ';');
  EXPECT_EQ(found("1,5;2,5\n3,5;4,5\n"), ';') << "all are numbers, not two of three";
  EXPECT_EQ(found("a b,c d\n1;2,3\n4;5,6\n"), ',');
}

TEST(CsvDialectTest, ReadsSepLines) {
  EXPECT_EQ(delimiter_of_sep_line("sep=;"), ';');
  EXPECT_EQ(delimiter_of_sep_line("SEP=\t"), '\t');
  EXPECT_EQ(delimiter_of_sep_line("\"sep=,\""), ',');
  for (const char* line : {"", "sep=", "sep=ab", "step=;", "sep;"}) {
    EXPECT_EQ(delimiter_of_sep_line(line), '\0') << line;
  }
}

TEST(CsvDialectTest, KnowsWhatIsMissing) {
  for (const char* field : {"", "NA", "na", "N/A", "n/a", "NaN", "nan", "NULL", "None", "?", "<NA>",
                            "#N/A", "-NaN", "1.#QNAN"}) {
    EXPECT_TRUE(is_missing(field)) << field;
  }
  for (const char* field : {"0", "-", "nano", "N", "inf", " "}) {
    EXPECT_FALSE(is_missing(field)) << field;
  }
}

}  // namespace
}  // namespace quadgate
