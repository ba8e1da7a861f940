// Sweeps: tables with and without names and times, several series, every policy for what is
// missing, splits by time and by file, and every kind of bad line. Tolerance: none, numbers are
// parsed to the nearest float.

#include "io/importers/csv.h"

#include <cmath>
#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsNan;
using testing::message_of;
using testing::values_of;

class CsvTest : public testing::FolderTest {
 protected:
  Series read(std::string_view content, const CsvOptions& options = {}) const {
    CsvImporter importer(options, {.spool = {.output = path("out.h5")}});
    importer.read(file("a.csv", content));
    return importer.take();
  }
  std::vector<float> values(std::string_view content, const CsvOptions& options = {}) const {
    return values_of(read(content, options).x);
  }

  /// What is wrong with the options, without the folder.
  std::string refusal(std::string_view content, const CsvOptions& options) const {
    const std::string message = message_of<InvalidArgument>([&] { read(content, options); });
    return message.substr(message.find("a.csv"));
  }

  /// The error's message, without the folder.
  std::string error(std::string_view content, const CsvOptions& options = {}) const {
    const std::string message = message_of<FileError>([&] { read(content, options); });
    return message.substr(message.find("a.csv"));
  }
};

TEST_F(CsvTest, LeavesTheTimeStampOut) {
  const Series series = read("date,a,b\n2016-07-01 00:00:00,1,2.5\n2016-07-01 01:00:00,-3,4e1\n");
  EXPECT_THAT(series.feature_names, ElementsAre("a", "b"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2.5, -3, 40));
  ASSERT_EQ(series.parts.size(), 1);
  EXPECT_EQ(series.parts[0].name, "");
  EXPECT_THAT(series.parts[0].rows, ElementsAre(2, 0, 0));
  EXPECT_EQ(series.steps_back, 0);
}

TEST_F(CsvTest, KeepsANumericFirstColumn) {
  const Series series = read("a,b\n1,2\n3,4");
  EXPECT_THAT(series.feature_names, ElementsAre("a", "b"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2, 3, 4));
}

TEST_F(CsvTest, TakesQuotesBlanksAndLineEndsOfOthers) {
  const Series series =
      read("\xEF\xBB\xBF\"t\", \"a b\" \r\n\r\n\"x\" , +1 \r\nx,\"1e-60\"\r\n\r\n");
  EXPECT_THAT(series.feature_names, ElementsAre("a b"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 0));
  EXPECT_THAT(values("a,\"b\nc\"\n1,2\n"), ElementsAre(1, 2));
}

TEST_F(CsvTest, TakesOtherDelimitersAndDecimalSigns) {
  EXPECT_THAT(values("t;a;b\n01.01.2011 00:15:00;1,5;-0,25\n"), ElementsAre(1.5, -0.25));
  EXPECT_THAT(values("a\tb\n1.5\t2\n"), ElementsAre(1.5, 2));
  EXPECT_THAT(values("a;b\n1;2\n", {.decimal = ','}), ElementsAre(1, 2));
  EXPECT_THAT(values("a b\n1 2\n", {.delimiter = ' '}), ElementsAre(1, 2));
}

TEST_F(CsvTest, TakesTablesWithoutNames) {
  const Series series = read("2016-07-01,1,2\n2016-07-02,3,4\n");
  EXPECT_THAT(series.feature_names, ElementsAre("1", "2"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(values("1\n2\n"), ElementsAre(1, 2));
}

TEST_F(CsvTest, ReadsTheColumnsAskedFor) {
  const CsvOptions options{.columns = {.features = {"c", "a"}}};
  EXPECT_THAT(values("a,b,c\n1,text,3\n4,,6\n", options), ElementsAre(3, 1, 6, 4));
}

TEST_F(CsvTest, CountsStepsBackInTime) {
  EXPECT_EQ(read("t,a\n2016-07-02,1\n2016-07-01,2\n2016-07-01,3\n2016-07-03,4\n").steps_back, 1);
}

TEST_F(CsvTest, GathersTheRowsOfEachSeries) {
  const Series series = read(
      "t,city,a\n2016-07-01,Ulm,1\n2016-07-01,Bonn,10\n2016-07-02,Ulm,2\n2016-07-02,Bonn,20\n"
      "2016-07-03,Bonn,30\n",
      {.columns = {.group = "city"}});
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2, 10, 20, 30));
  ASSERT_EQ(series.parts.size(), 2);
  EXPECT_EQ(series.parts[0].name, "Ulm");
  EXPECT_THAT(series.parts[0].rows, ElementsAre(2, 0, 0));
  EXPECT_EQ(series.parts[1].name, "Bonn");
  EXPECT_THAT(series.parts[1].rows, ElementsAre(3, 0, 0));
  EXPECT_EQ(series.steps_back, 0) << "each series has times of its own";
}

TEST_F(CsvTest, DividesByTime) {
  const Series series =
      read("t,g,a\n1,x,1\n1,y,10\n2,x,2\n3,x,3\n4,x,4\n5,y,50\n",
           {.columns = {.time = "t", .group = "g"}, .valid_from = "2", .test_from = "4"});
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2, 3, 4, 10, 50));
  EXPECT_THAT(series.parts[0].rows, ElementsAre(1, 2, 1));
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 1));
}

TEST_F(CsvTest, DividesByTimeStamp) {
  const CsvOptions options{.test_from = "2016-07-02"};
  const Series series = read("t,a\n2016-07-01 23:59,1\n2016-07-02 00:00,2\n", options);
  EXPECT_THAT(series.parts[0].rows, ElementsAre(1, 0, 1));
  EXPECT_EQ(error("t,a\n2016-07-01,1\nx,1\n", options),
            "a.csv:3: column 't': expected a time (dates), as in the first rows, found 'x'");
  EXPECT_EQ(error("t,a\n2016-07-02,1\n2016-07-01,1\n", options),
            "a.csv:3: column 't': expected a time not before that of the row before, found "
            "'2016-07-01'");
  EXPECT_EQ(refusal("a,b\n1,2\n", options),
            "a.csv: expected a column of times to divide the rows by (--time names it)");
}

TEST_F(CsvTest, GoesOnInOtherFiles) {
  CsvImporter importer({.columns = {.group = "g"}}, {.spool = {.output = path("out.h5")}});
  importer.read(file("a.csv", "g,a\nx,1\ny,10\n"), 0);
  importer.read(file("b.csv", "a;g\n2,5;x\n"), 1);
  importer.read(file("c.csv", "g,a\nz,100\ny,20\n"), 2);
  const Series series = importer.take();
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2.5, 10, 20, 100));
  EXPECT_THAT(series.parts[0].rows, ElementsAre(1, 1, 0));
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 1));
  EXPECT_THAT(series.parts[2].rows, ElementsAre(0, 0, 1));
}

TEST_F(CsvTest, ExpectsTheSameColumnsInOtherFiles) {
  CsvImporter importer({}, {.spool = {.output = path("out.h5")}});
  importer.read(file("a.csv", "a,b\n1,2\n"));
  EXPECT_EQ(message_of<DataError>([&] { importer.read(file("b.csv", "a,c\n1,2\n"), 2); }),
            path("b.csv").string() + ": expected columns a, b, as in " + path("a.csv").string() +
                ", found a, c");
}

constexpr std::string_view kGaps = "a,b\n,1\n2,NA\n3,4\nnan,5\n";

TEST_F(CsvTest, RefusesWhatIsMissing) {
  EXPECT_EQ(error(kGaps),
            "a.csv:2: column 'a': expected a number, found '' (prepare csv with --missing, beside "
            "--like too, drops or fills what is "
            "missing)");
}

TEST_F(CsvTest, DropsRowsWithGaps) {
  const Series series = read(kGaps, {.missing = MissingPolicy::drop});
  EXPECT_THAT(values_of(series.x), ElementsAre(3, 4));
  EXPECT_EQ(series.dropped_rows, 3);
  EXPECT_EQ(series.parts[0].size(), 1);
}

TEST_F(CsvTest, CarriesValuesForward) {
  const Series series = read(kGaps, {.missing = MissingPolicy::forward});
  EXPECT_THAT(values_of(series.x), ElementsAre(2, 1, 3, 4, 3, 5));
  EXPECT_EQ(series.dropped_rows, 1);
  EXPECT_EQ(series.filled_values, 2);
  EXPECT_THAT(values("g,a\nx,1\ny,\nx,\ny,2\n",
                     {.columns = {.group = "g"}, .missing = MissingPolicy::forward}),
              ElementsAre(1, 1, 2))
      << "not from one series to the next";
}

TEST_F(CsvTest, LeavesGapsForTheMean) {
  const Series series = read(kGaps, {.missing = MissingPolicy::mean});
  EXPECT_THAT(values_of(series.x), ElementsAre(IsNan(), 1, 2, IsNan(), 3, 4, IsNan(), 5));
  EXPECT_EQ(series.filled_values, 3);
}

TEST_F(CsvTest, NamesFileLineAndColumn) {
  EXPECT_EQ(error("a,OT\n1,2\n3,abc\n"), "a.csv:3: column 'OT': expected a number, found 'abc'");
  EXPECT_EQ(error("a,b\n1,1e39\n"), "a.csv:2: column 'b': expected a number, found '1e39'");
  EXPECT_EQ(error("a,b\n1,2 3\n"), "a.csv:2: column 'b': expected a number, found '2 3'");
  EXPECT_EQ(error("a,b\n1,2\nx,2\n"), "a.csv:3: column 'a': expected a number, found 'x'");
  EXPECT_EQ(error("a,b\n1,2\n1,2,3\n"),
            "a.csv:3: expected 2 fields, as in the first line, found 3");
  EXPECT_EQ(error("t\nx\n"), "a.csv: expected a column of numbers beside the time stamp");
  EXPECT_EQ(error("a,b\n1,\"2\n"),
            "a.csv:2: expected a quote at the end of the last field, found none");
  EXPECT_EQ(error("a,a\n1,2\n"),
            "a.csv: expected names that differ from each other, found 'a' twice or empty");
  for (const char* empty : {"", "a,b\n", "a,b"}) {
    EXPECT_EQ(error(empty),
              "a.csv: expected a line of column names, then lines of numbers, found no numbers");
  }
}

TEST_F(CsvTest, TakesNoFileOfASplitWhereTimesDivide) {
  CsvImporter importer({.valid_from = "2"});
  EXPECT_EQ(message_of<InvalidArgument>([&] { importer.read(file("a.csv", "a\n1\n"), 2); }),
            path("a.csv").string() + ": a file of another split, where times divide the rows");
}

TEST_F(CsvTest, LimitsARecordWhoseQuoteDoesNotEnd) {
  std::string lines = "a\n\"";
  for (int i = 0; i < 65; ++i) lines += std::string(std::size_t{1} << 20, '1') + "\n";
  EXPECT_EQ(error(lines),
            "a.csv:65: expected a record of at most 67108864 bytes, found a longer one");
}

TEST_F(CsvTest, ExpectsTestAfterValid) {
  EXPECT_EQ(refusal("t,a\n2020-01-01,1\n", {.valid_from = "2021", .test_from = "2020"}),
            "a.csv: --test-from 2020: expected a time not before --valid-from");
}

TEST_F(CsvTest, RefusesBordersThatLeaveASplitEmpty) {
  const std::string days = "t,a\n2020-01-01,1\n2020-01-02,2\n2020-01-03,3\n";
  const std::string range = "; the times are from 2020-01-01 to 2020-01-03";
  EXPECT_EQ(refusal(days, {.valid_from = "2020-02-01"}),
            "a.csv: --valid-from 2020-02-01: no row reaches it" + range);
  EXPECT_EQ(refusal(days, {.test_from = "2020-01-04"}),
            "a.csv: --test-from 2020-01-04: no row reaches it" + range);
  EXPECT_EQ(refusal(days, {.valid_from = "2020-01-01"}),
            "a.csv: --valid-from 2020-01-01: every row reaches it" + range);
  EXPECT_EQ(refusal(days, {.valid_from = "2020-01-02 01:00", .test_from = "2020-01-02 02:00"}),
            "a.csv: --valid-from 2020-01-02 01:00: no row is from it to --test-from" + range);
  EXPECT_EQ(refusal("t,a\n7,1\n8,2\n", {.columns = {.time = "t"}, .valid_from = "9"}),
            "a.csv: --valid-from 9: no row reaches it; the times are from 7 to 8");
}

TEST_F(CsvTest, DividesByTimesThatAreNumbers) {
  const auto rows = [&](const char* unit, const std::vector<std::string>& times,
                        const char* border = "2020-01-03") {
    std::string table = "t,a\n";
    for (const std::string& time : times) table += time + ",1\n";
    const Series series = read(table, {.columns = {.time = "t"}, .valid_from = border});
    EXPECT_THAT(series.parts[0].rows, ElementsAre(2, 1, 0)) << unit;
  };
  rows("dates", {"20200101", "20200102", "20200103"});
  rows("s", {"1577836800", "1577923200", "1578009600"});
  rows("ms", {"1577836800000", "1577923200000", "1578009600000"});
  rows("us", {"1577836800000000", "1577923200000000", "1578009600000000"});
  rows("ns", {"1577836800000000000", "1577923200000000000", "1578009600000000000"});
  rows("days", {"43831", "43832", "43833"});
  rows("days", {"43831", "43832.5", "43833"}, "43833");
  EXPECT_EQ(refusal("year,a\n2019,1\n2020,2\n",
                    {.columns = {.time = "year"}, .valid_from = "2020-01-01"}),
            "a.csv: --valid-from 2020-01-01: expected times, found numbers in column 'year', which "
            "are no dates");
  EXPECT_EQ(
      refusal("t,a\nx,1\n", {.valid_from = "2020"}),
      "a.csv: --valid-from 2020: expected times, found text in column 't', which are no dates");
  EXPECT_EQ(refusal("t,a\n2020-01-01,1\n", {.valid_from = "soon"}),
            "a.csv: --valid-from soon: expected a time like 2016-07-01 13:30, found 'soon'");
}

TEST_F(CsvTest, AsksWhetherTheDayOrTheMonthIsFirst) {
  const std::string table = "t,a\n7/1/2016 0:00,1\n7/2/2016 0:00,2\n8/1/2016 0:00,3\n";
  EXPECT_EQ(refusal(table, {.valid_from = "2016-07-02"}),
            "a.csv: column 't': dates like 7/1/2016 0:00 may have the day or the month first: say "
            "--date-order day-first or month-first");
  CsvImporter importer;
  importer.read(file("a.csv", table));
  EXPECT_THAT(importer.findings().warnings,
              ElementsAre(EndsWith("a.csv: column 't' is not read: its dates may have the day or "
                                   "the month first (--date-order tells)")));
  EXPECT_THAT(
      read(table, {.valid_from = "2016-07-02", .date_order = DateOrder::month_first}).parts[0].rows,
      ElementsAre(1, 2, 0));
  EXPECT_THAT(read("t,a\n12/31/2015,1\n1/1/2016,2\n", {.valid_from = "1/1/2016"}).parts[0].rows,
              ElementsAre(1, 1, 0));
  EXPECT_EQ(refusal("a\n1\n", {.date_order = DateOrder::day_first}),
            "a.csv: expected a column of times for --date-order (--time names it)");
  EXPECT_EQ(refusal("t,a\n2016-07-01,1\n", {.date_order = DateOrder::day_first}),
            "a.csv: --date-order: expected dates like 1/7/2016, found dates in column 't'");
  EXPECT_EQ(refusal("t,a\n13/1/2016,1\n1/13/2016,2\n", {.valid_from = "13/1/2016"}),
            "a.csv: --valid-from 13/1/2016: expected times, found text in column 't', which are no "
            "dates");
  EXPECT_THAT(values("1/7/2016,5\n2/7/2016,6\n"), ElementsAre(5, 6)) << "a line of values";
}

TEST_F(CsvTest, NamesTheFileOfAGapWithoutEnd) {
  EXPECT_EQ(error("t,a\n1900-01-01,1\n2020-01-01,2\n",
                  {.missing = MissingPolicy::forward, .resample = "1s"}),
            "a.csv:3: column 't': expected at most 10000000 steps without a row before it "
            "(--resample), not 3786825599, found '2020-01-01'");
}

TEST_F(CsvTest, TakesTheHourThatClocksRepeat) {
  const std::string table =
      "t,a\n2022-11-06 01:00,1\n2022-11-06 01:30,2\n2022-11-06 01:00,3\n2022-11-06 01:30,4\n"
      "2022-11-07 00:00,5\n";
  const Series series = read(table, {.test_from = "2022-11-07"});
  EXPECT_THAT(series.parts[0].rows, ElementsAre(4, 0, 1));
  EXPECT_EQ(series.steps_back, 1);
  EXPECT_THAT(error(table, {.test_from = "2022-11-06 01:30"}),
              ::testing::StartsWith("a.csv:4: column 't': expected no time before a border behind "
                                    "one after it (clocks may have gone back"));
}

TEST_F(CsvTest, CountsGapsAndDoubles) {
  const Series series = read(
      "t,a\n2020-01-01,1\n2020-01-02,2\n2020-01-02,3\n2020-01-03,4\n2020-01-06,5\n2020-01-07,6\n");
  EXPECT_EQ(series.same_times, 1);
  EXPECT_EQ(series.time_gaps, 1);
}

TEST_F(CsvTest, SaysWhenNoRowIsLeft) {
  EXPECT_EQ(error("t,a,b\n2020-01-01,,1\n2020-01-02,2,\n", {.missing = MissingPolicy::drop}),
            "a.csv: --missing drop: left out all 2 rows of the train split, as each lacks a value");
  EXPECT_EQ(
      error("a\n \nNA\nNA\n", {.missing = MissingPolicy::forward}),
      "a.csv: --missing forward: left out all 2 rows of the train split, as each lacks a value");
  EXPECT_EQ(error("t,a\n2020-01-01,1\n2020-01-02,\n",
                  {.missing = MissingPolicy::drop, .valid_from = "2020-01-02"}),
            "a.csv: --missing drop: left out all 1 rows of the valid split, as each lacks a value");
}

TEST_F(CsvTest, ReadsThousands) {
  EXPECT_THAT(values("price;load\n12.500;0,5\n8.750;1,25\n"), ElementsAre(12500, 0.5, 8750, 1.25));
  EXPECT_THAT(values("A;B\n1;2 334\n10;13\n"), ElementsAre(1, 2334, 10, 13));
  EXPECT_EQ(
      error("A|B\n1|2,334\n10|13\n"),
      "a.csv:2: column 'B': expected a number that can be read in one way (--decimal says 2334 "
      "or 2.334), found '2,334'");
  EXPECT_THAT(values("A|B\n1|2,334\n10|13\n", {.decimal = '.'}), ElementsAre(1, 2334, 10, 13));
  EXPECT_THAT(values("t;id;a\nx;1.5;12.500\nx;1.5;0,5\n", {.columns = {.features = {"a"}}}),
              ElementsAre(12500, 0.5))
      << "columns that are not read tell nothing";
}

TEST_F(CsvTest, TakesLinesThatEndInCrAlone) {
  EXPECT_THAT(values("1,2\r3,4\r5,6\r"), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(values("a,b\r3,4\r"), ElementsAre(3, 4));
}

TEST_F(CsvTest, TakesSepLinesAndComments) {
  EXPECT_THAT(values("sep=;\nt;a\n2020-01-01;1,5\n2020-01-02;2,5\n"), ElementsAre(1.5, 2.5));
  EXPECT_THAT(values("# about, this\n\n# and that\nt,a\n2020-01-01,1\n# 2020-01-02,2\n"),
              ElementsAre(1));
  EXPECT_EQ(error("sep=;\n# about\na;b\n1;x\n"),
            "a.csv:4: column 'b': expected a number, found 'x'");
  EXPECT_THAT(read("# made by us\n# a, b\n1,2\n").feature_names, ElementsAre("a", "b"));
  EXPECT_THAT(read("# made, by us\nt,a\n2020-01-01,2\n").feature_names, ElementsAre("a"));
  const Series series = read("g,a\n#1,1\n#2,2\n", {.columns = {.group = "g"}});
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2)) << "names may begin so";
}

TEST_F(CsvTest, ResamplesRows) {
  const std::string table =
      "t,g,a\n2020-01-01 00:10,x,1\n2020-01-01 00:50,x,2\n2020-01-01 00:20,y,7\n"
      "2020-01-01 03:00,x,4\n";
  CsvOptions options{.columns = {.group = "g"},
                     .missing = MissingPolicy::forward,
                     .valid_from = "2020-01-01 02:00",
                     .resample = "1h"};
  const Series series = read(table, options);
  EXPECT_THAT(values_of(series.x), ElementsAre(1.5, 1.5, 1.5, 4, 7));
  EXPECT_THAT(series.parts[0].rows, ElementsAre(2, 2, 0));
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 0));
  EXPECT_EQ(series.filled_values, 2);
  options.missing = MissingPolicy::error;
  EXPECT_EQ(error(table, options),
            "a.csv: --resample 1h: no row is from 2020-01-01 01:00 to the next step (prepare csv "
            "with --missing, beside --like too, drops "
            "or fills what is missing)");
  EXPECT_EQ(refusal("a\n1\n", {.resample = "1h"}),
            "a.csv: expected a column of times to resample the rows by (--time names it)");
  EXPECT_EQ(refusal("t,a\n1,1\n", {.columns = {.time = "t"}, .resample = "1h"}),
            "a.csv: --resample: expected times, found numbers in column 't'");
  EXPECT_EQ(error("t,a\n2020-01-02,1\n2020-01-01,1\n", {.resample = "1h"}),
            "a.csv:3: column 't': expected a time in or behind the step of the row before "
            "(--resample), found '2020-01-01'");
}

TEST_F(CsvTest, TellsWhatItFound) {
  CsvImporter importer({}, {.spool = {.output = path("out.h5")}});
  importer.read(file("a.csv", "# about\n;date;a;year\n0;2020-01-01;1.234,5;2020\n"), 0);
  const std::string name = path("a.csv").string();
  EXPECT_THAT(
      importer.findings().files,
      ElementsAre(
          name + ": fields between ';', decimal comma, thousands like 1.000, time "
                 "'date' (dates), features a, year; left out: Unnamed: 0 (row numbers); 1 lines of "
                 "comments"));
  EXPECT_THAT(importer.findings().warnings,
              ElementsAre(::testing::HasSubstr("look like time: year")));
}

TEST_F(CsvTest, NamesTheTimeInWhatItFound) {
  CsvImporter importer({}, {.spool = {.output = path("out.h5")}});
  importer.read(file("a.csv", "2020-01-01\t1\n"), 0);
  importer.read(file("b.csv", "city\t1\nUlm\t1\n"), 0);
  EXPECT_THAT(importer.findings().files,
              ElementsAre(path("a.csv").string() +
                              ": fields between tabs, decimal point, time '0' (dates), "
                              "no line of names, features 1",
                          ::testing::HasSubstr("time 'city' (text)")));
  EXPECT_THAT(importer.findings().warnings,
              ElementsAre(::testing::HasSubstr("column 'city' is not read: it holds no times")));
}

}  // namespace
}  // namespace quadgate
