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
           {.columns = {.time = "t", .group = "g"}, .valid_from = 2, .test_from = 4});
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2, 3, 4, 10, 50));
  EXPECT_THAT(series.parts[0].rows, ElementsAre(1, 2, 1));
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 1));
}

TEST_F(CsvTest, DividesByTimeStamp) {
  const CsvOptions options{.test_from = 1467417600};  // 2016-07-02
  const Series series = read("t,a\n2016-07-01 23:59,1\n2016-07-02 00:00,2\n", options);
  EXPECT_THAT(series.parts[0].rows, ElementsAre(1, 0, 1));
  EXPECT_EQ(error("t,a\nx,1\n", options),
            "a.csv:2: column 't': expected a time like 2016-07-01 13:30, found 'x'");
  EXPECT_EQ(error("t,a\n2016-07-02,1\n2016-07-01,1\n", options),
            "a.csv:3: column 't': expected a time not before that of the row before, found "
            "'2016-07-01'");
  EXPECT_EQ(error("a,b\n1,2\n", options),
            "a.csv:2: expected a column of times to divide the rows by");
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
  EXPECT_EQ(message_of<InvalidArgument>([&] { importer.read(file("b.csv", "a,c\n1,2\n"), 2); }),
            path("b.csv").string() + ": expected columns a, b, as in " + path("a.csv").string() +
                ", found a, c");
}

constexpr std::string_view kGaps = "a,b\n,1\n2,NA\n3,4\nnan,5\n";

TEST_F(CsvTest, RefusesWhatIsMissing) {
  EXPECT_EQ(error(kGaps),
            "a.csv:2: column 'a': expected a number, found '' (what is missing can be dropped or "
            "filled)");
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
  EXPECT_EQ(error("t\nx\n"), "a.csv:1: expected a column of numbers beside the time stamp");
  EXPECT_EQ(error("a,b\n1,\"2\n"),
            "a.csv:2: expected a quote at the end of the last field, found none");
  EXPECT_EQ(error("a,a\n1,2\n"),
            "a.csv:1: expected names that differ from each other, found 'a' twice or empty");
  for (const char* empty : {"", "a,b\n", "a,b"}) {
    EXPECT_EQ(error(empty),
              "a.csv: expected a line of column names, then lines of numbers, found no numbers");
  }
}

TEST_F(CsvTest, TakesNoFileOfASplitWhereTimesDivide) {
  CsvImporter importer({.valid_from = 2});
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
  EXPECT_EQ(message_of<InvalidArgument>([&] { read("a\n1\n", {.valid_from = 2, .test_from = 1}); }),
            "test_from: expected a time not before valid_from");
}

}  // namespace
}  // namespace quadgate
