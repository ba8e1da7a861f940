// Sweeps: series with and without names, of many lengths, every policy for what is missing, and
// every kind of bad line. Tolerance: none, numbers are parsed to the nearest double.

#include "io/importers/tsf.h"

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

const std::string kSeries =
    "# about\n@relation test\n@attribute series_name string\n@attribute start_timestamp date\n"
    "@frequency yearly\n@horizon 4\n@missing false\n@data\n";

class TsfTest : public testing::FolderTest {
 protected:
  Series read(const std::string& content, MissingPolicy missing = MissingPolicy::error) const {
    return read_tsf(file("a.tsf", content), missing);
  }
  std::string error(const std::string& content,
                    MissingPolicy missing = MissingPolicy::error) const {
    const std::string message = message_of<FileError>([&] { read(content, missing); });
    return message.substr(message.find("a.tsf"));
  }
};

TEST_F(TsfTest, ReadsSeriesOfAllLengths) {
  const Series series =
      read(kSeries + "T1:1979-01-01 00-00-00:1,2.5,3\n\nT2:1973-01-01 00-00-00:-4\n");
  EXPECT_THAT(series.feature_names, ElementsAre("value"));
  EXPECT_THAT(values_of(series.x), ElementsAre(1, 2.5, 3, -4));
  ASSERT_EQ(series.parts.size(), 2);
  EXPECT_EQ(series.parts[0].name, "T1");
  EXPECT_THAT(series.parts[0].rows, ElementsAre(3, 0, 0));
  EXPECT_EQ(series.parts[1].name, "T2");
  EXPECT_THAT(series.parts[1].rows, ElementsAre(1, 0, 0));
}

TEST_F(TsfTest, NamesSeriesByAllTexts) {
  const Series groups = read("@attribute g string\n@attribute n\tstring\n@data\nA:1:1,2\nB:1:3\n");
  EXPECT_EQ(groups.parts[0].name, "A/1");
  EXPECT_EQ(groups.parts[1].name, "B/1");
  const Series unnamed = read("@attribute n numeric\n@data\n7:1,2\n8:3\n");
  EXPECT_EQ(unnamed.parts[1].name, "1");
}

TEST_F(TsfTest, FillsWhatIsMissing) {
  const std::string lines = kSeries + "T1:1979-01-01:?,1,?\nT2:1979-01-01:?,?\nT3:1979-01-01:2\n";
  const Series dropped = read(lines, MissingPolicy::drop);
  EXPECT_THAT(values_of(dropped.x), ElementsAre(1, 2));
  EXPECT_EQ(dropped.parts.size(), 2) << "one is empty";
  EXPECT_EQ(dropped.dropped_rows, 4);
  const Series forward = read(lines, MissingPolicy::forward);
  EXPECT_THAT(values_of(forward.x), ElementsAre(1, 1, 2));
  EXPECT_EQ(forward.filled_values, 1);
  EXPECT_TRUE(read(lines, MissingPolicy::mean).fill_with_mean);
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:?,?\n", MissingPolicy::drop),
            "a.tsf: --missing drop: left out all 2 rows, as each lacks a value");
}

TEST_F(TsfTest, NamesFileLineAndField) {
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1,x\n"), "a.tsf:9: expected a number, found 'x'");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1,?\n"),
            "a.tsf:9: expected a number, found '?' (--missing drops or fills what is missing)");
  EXPECT_EQ(error(kSeries + "T1:1,2\n"),
            "a.tsf:9: expected 2 attributes with ':' behind each, as the header has them");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01 00:00:1,2\n"),
            "a.tsf:9: expected values behind 2 attributes, found another ':'");
  EXPECT_EQ(error(kSeries + "T1:1979-01-01:1\nT1:1979-01-01:2\n"),
            "a.tsf:10: expected names that differ from each other, found 'T1' twice");
  EXPECT_EQ(error("@attribute a\n"),
            "a.tsf:1: @attribute: expected a name and a type, string, date or numeric");
  EXPECT_EQ(error("a\n"), "a.tsf:1: expected a header line, beginning with '@'");
  EXPECT_EQ(error(kSeries), "a.tsf: expected series after a line @data, found none");
}

}  // namespace
}  // namespace quadgate
