// Sweeps: files as programs of several countries write them.

#include "io/importers/csv_dialect.h"

#include <gtest/gtest.h>

#include <string>

namespace quadgate {
namespace {

/// Delimiter and decimal sign that are found.
std::string found(std::string_view lines) {
  const CsvDialect dialect = detect_csv_dialect(lines);
  return {dialect.delimiter, dialect.decimal};
}

TEST(CsvDialectTest, FindsTheDelimiter) {
  EXPECT_EQ(found("date,a,b\n2016-07-01,1.5,2\n"), ",.");
  EXPECT_EQ(found("date;a;b\n2016-07-01;1.5;2\n"), ";.");
  EXPECT_EQ(found("date\ta\n2016-07-01\t1.5\n"), "\t.");
  EXPECT_EQ(found("date|a\n2016-07-01|1.5\n"), "|.");
  EXPECT_EQ(found("a\n1\n"), ",.");
  EXPECT_EQ(found(""), ",.");
}

TEST(CsvDialectTest, LooksOutsideQuotes) {
  EXPECT_EQ(found("\"T, in C, dry\";\"p, in mbar\"\n1;2\n"), ";.");
}

TEST(CsvDialectTest, FindsTheDecimalSign) {
  EXPECT_EQ(found("t;a\n01.01.2011 00:15;1,5\n"), ";,");
  EXPECT_EQ(found("t;a\n01.01.2011 00:15;-12,25\n"), ";,");
  EXPECT_EQ(found("t\ta\n2011\t\"3,0\"\n"), "\t,");
  EXPECT_EQ(found("t;a;text\n2011;1.5;1,5\n"), ";.") << "a point settles it";
  EXPECT_EQ(found("t;a;text\n2011;1;x,y\n"), ";.") << "no number";
  EXPECT_EQ(found("t;a\n2011;1\n\n2012;2,5\n"), ";,") << "not in the first row";
}

TEST(CsvDialectTest, KnowsWhatIsMissing) {
  for (const char* field : {"", "NA", "na", "N/A", "n/a", "NaN", "nan", "NULL", "None", "?"}) {
    EXPECT_TRUE(is_missing(field)) << field;
  }
  for (const char* field : {"0", "-", "nano", "N", "inf", " "}) {
    EXPECT_FALSE(is_missing(field)) << field;
  }
}

}  // namespace
}  // namespace quadgate
