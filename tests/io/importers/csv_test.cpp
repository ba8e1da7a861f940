// Sweeps: series with and without a time stamp, quotes, line ends, and every kind of bad line.
// Tolerance: none, numbers are parsed to the nearest float.

#include "io/importers/csv.h"

#include <string>

#include "engine/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

class CsvTest : public testing::FolderTest {
 protected:
  Series read(std::string_view content) const { return read_csv(file("a.csv", content)); }

  /// The error's message, without the folder.
  std::string error(std::string_view content) const {
    const std::string message = message_of<FileError>([&] { read(content); });
    return message.substr(message.find("a.csv"));
  }
};

TEST_F(CsvTest, LeavesTheTimeStampOut) {
  const Series series = read("date,a,b\n2016-07-01 00:00:00,1,2.5\n2016-07-01 01:00:00,-3,4e1\n");
  EXPECT_THAT(series.feature_names, ElementsAre("a", "b"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2.5, -3, 40));
  EXPECT_EQ(series.size(), 2);
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
}

TEST_F(CsvTest, NamesFileLineAndColumn) {
  EXPECT_EQ(error("a,OT\n1,2\n3,abc\n"), "a.csv:3: column 'OT': expected a number, found 'abc'");
  EXPECT_EQ(error("t,OT\nx,\n"), "a.csv:2: column 'OT': expected a number, found ''");
  EXPECT_EQ(error("a,b\n1,nan\n"), "a.csv:2: column 'b': expected a number, found 'nan'");
  EXPECT_EQ(error("a,b\n1,1e39\n"), "a.csv:2: column 'b': expected a number, found '1e39'");
  EXPECT_EQ(error("a,b\n1,2 3\n"), "a.csv:2: column 'b': expected a number, found '2 3'");
  EXPECT_EQ(error("a,b\n1,2\nx,2\n"), "a.csv:3: column 'a': expected a number, found 'x'");
  EXPECT_EQ(error("a,b\n1,2\n1,2,3\n"), "a.csv:3: expected 2 fields, as in line 1, found 3");
  EXPECT_EQ(error("t\nx\n"), "a.csv:2: expected a column of numbers beside the time stamp");
  EXPECT_EQ(error("a,a\n1,2\n"),
            "a.csv:1: expected names that differ from each other, found 'a' twice or empty");
  for (const char* empty : {"", "a,b\n", "a,b"}) {
    EXPECT_EQ(error(empty),
              "a.csv: expected a line of column names, then lines of numbers, found no numbers");
  }
}

}  // namespace
}  // namespace quadgate
