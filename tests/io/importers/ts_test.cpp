// Sweeps: sequences of one and many lengths, and every kind of bad header and line; the Japanese
// vowels where the shared data are.
// Tolerance: none, numbers are parsed to the nearest float.

#include "io/importers/ts.h"

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

const std::string kHeader =
    "# about\n@problemName Test\n@timeStamps false\n@classLabel true no yes\n\n@data\n";

class TsTest : public testing::FolderTest {
 protected:
  LabelledSequences read(const std::string& content,
                         MissingPolicy missing = MissingPolicy::error) const {
    return read_ts(file("a.ts", content), missing);
  }

  /// The error's message, without the folder.
  std::string error(const std::string& content) const {
    const std::string message = message_of<FileError>([&] { read(content); });
    return message.substr(message.find("a.ts"));
  }
};

TEST_F(TsTest, TurnsDimensionsIntoSteps) {
  const LabelledSequences data = read(kHeader + "1,2,3:4,5,6:yes\r\n\n7:8:no\n");
  EXPECT_EQ(data.input_size, 2);
  EXPECT_THAT(values_of(data.x), ElementsAre(1, 4, 2, 5, 3, 6, 7, 8));
  EXPECT_THAT(values_of(data.lengths), ElementsAre(3, 1));
  EXPECT_THAT(values_of(data.labels), ElementsAre(1, 0));
  EXPECT_THAT(data.class_names, ElementsAre("no", "yes"));
}

TEST_F(TsTest, NamesFileLineAndField) {
  EXPECT_EQ(error(kHeader + "1:2:yes\n1,?:2,3:no\n"),
            "a.ts:8: dimension 1: expected a number, found '?' (prepare ts with --missing, beside "
            "--like too, drops or fills what is "
            "missing)");
  EXPECT_EQ(error(kHeader + "1,NaN:2,3:no\n"),
            "a.ts:7: dimension 1: expected a number, found 'NaN' (prepare ts with --missing, "
            "beside --like too, drops or fills what is "
            "missing)");
  EXPECT_EQ(error(kHeader + "1,2:3:no\n"),
            "a.ts:7: dimension 2: expected 2 values, as in dimension 1, found 1");
  EXPECT_EQ(error(kHeader + "1:2:no\n1:no\n"),
            "a.ts:8: expected 2 dimensions, as in the first sequence, found 1");
  EXPECT_EQ(error(kHeader + "1:2:maybe\n"),
            "a.ts:7: label: expected one of no, yes, found 'maybe'");
  EXPECT_EQ(error(kHeader + "1,2\n"), "a.ts:7: expected dimensions, then ':' and the label");
  EXPECT_EQ(error(kHeader + ":no\n"),
            "a.ts:7: expected at least one value a dimension, found none");
  EXPECT_EQ(error(kHeader), "a.ts: expected sequences after a line @data, found none");
  EXPECT_EQ(error(""), "a.ts: expected sequences after a line @data, found none");
  EXPECT_EQ(error("1,2:3\n"), "a.ts:1: expected a header line, beginning with '@'");
  EXPECT_EQ(error("@timeStamps maybe\n"),
            "a.ts:1: @timestamps: expected true or false, found 'maybe'");
  EXPECT_EQ(error("@classLabel yes no\n"),
            "a.ts:1: @classLabel: expected 'true' and the class names");
  EXPECT_EQ(error("@classLabel true\n"),
            "a.ts:1: @classLabel: expected 'true' and the class names");
  EXPECT_EQ(error("@classLabel true a b a\n"),
            "a.ts:1: @classLabel: expected each class once, found 'a' twice");
  for (const std::string none : {"", "@classLabel false\n", "@targetLabel false\n"}) {
    EXPECT_THAT(error(none + "@data\n"),
                ::testing::EndsWith(
                    ": expected a line @classLabel true ... or @targetLabel true before @data"));
  }
  EXPECT_EQ(error(kHeader + "1,2:3,4::no\n"),
            "a.ts:7: dimension 3: expected 2 values, as in dimension 1, found 0");
  EXPECT_THAT(error(kHeader + "1,2,:no\n"), ::testing::StartsWith("a.ts:7: dimension 1: expected a "
                                                                  "number, found ''"));
}

TEST_F(TsTest, TakesTabsCommentsAndCases) {
  const LabelledSequences data = read(
      "% about\n@univariate\ttrue\n@CLASSLABEL\tTrue\tUp  down\n@Data\n# one\n1,2:up\n% two\n"
      "3 ,\t4 :\tdown\n");
  EXPECT_THAT(values_of(data.x), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(values_of(data.labels), ElementsAre(0, 1));
  EXPECT_THAT(data.class_names, ElementsAre("Up", "down"));
}

TEST_F(TsTest, ReadsTargets) {
  const std::string header = "@classLabel false\n@targetlabel true\n@data\n";
  const LabelledSequences data = read(header + "1,2:0.5\n3,4:-2e1\n");
  EXPECT_EQ(data.task, Task::regression);
  EXPECT_EQ(data.output_size, 1);
  EXPECT_EQ(data.size(), 2);
  EXPECT_THAT(values_of(data.targets), ElementsAre(0.5, -20));
  EXPECT_THAT(values_of(data.x), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(error(header + "1,2:x\n"), "a.ts:4: target: expected a number, found 'x'");
}

TEST_F(TsTest, LeavesTimeStampsOut) {
  const std::string header = "@timeStamps true\n@classLabel true a b\n@data\n";
  const LabelledSequences data =
      read(header +
           "(2007-01-01 00:00:00,1),(2007-01-01 00:01:00,-2.5):(2007-01-01 00:00:00,3), "
           "( 2007-01-01 00:01:00,4):a\n(0,5):(0,6):b\n");
  EXPECT_TRUE(data.has_times);
  EXPECT_EQ(data.input_size, 2);
  EXPECT_THAT(values_of(data.x), ElementsAre(1, 3, -2.5, 4, 5, 6));
  EXPECT_THAT(values_of(data.labels), ElementsAre(0, 1));
  EXPECT_EQ(error(header + "(0,1),(1,2):(0,3),(5,4):a\n"),
            "a.ts:4: dimension 2: expected the time 1, as in dimension 1, found 5");
  EXPECT_EQ(error(header + "(0,1),(1,2):(0,3),(1,4),(2,5):a\n"),
            "a.ts:4: dimension 2: expected 2 values, as in dimension 1, found 3");
  EXPECT_EQ(error(header + "1,2:a\n"), "a.ts:4: dimension 1: expected (time,value), found '1,2'");
  EXPECT_EQ(error(header + "(0,1)(1,2):a\n"),
            "a.ts:4: dimension 1: expected ',' or ':' after (time,value), found '('");
}

TEST_F(TsTest, FillsWhatIsMissing) {
  const std::string lines = kHeader + "?,1,NaN:4,5,6:yes\n1,2:3,4:no\n?:1:no\n";
  const LabelledSequences dropped = read(lines, MissingPolicy::drop);
  EXPECT_THAT(values_of(dropped.x), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(values_of(dropped.labels), ElementsAre(0));
  EXPECT_EQ(dropped.dropped_sequences, 2);
  const LabelledSequences forward = read(lines, MissingPolicy::forward);
  EXPECT_THAT(values_of(forward.x), ElementsAre(1, 5, 1, 6, 1, 3, 2, 4));
  EXPECT_THAT(values_of(forward.lengths), ElementsAre(2, 2));
  EXPECT_EQ(forward.filled_values, 1);
  EXPECT_EQ(forward.dropped_steps, 1);
  EXPECT_EQ(forward.dropped_sequences, 1);
  const LabelledSequences mean = read(lines, MissingPolicy::mean);
  EXPECT_TRUE(mean.fill_with_mean);
  EXPECT_EQ(mean.filled_values, 3);
  EXPECT_THAT(
      message_of<FileError>([&] { read(kHeader + "?:1:no\n", MissingPolicy::drop); }),
      ::testing::EndsWith("a.ts: --missing drop: left out all 1 sequences, as each lacks a value"));
}

TEST_F(TsTest, TellsSeriesByTheirAttributes) {
  EXPECT_TRUE(is_tsf(file("a", "# about\n@relation r\n@attribute a string\n@data\n")));
  EXPECT_FALSE(is_tsf(file("a", kHeader)));
  EXPECT_FALSE(is_tsf(file("a", "")));
  EXPECT_FALSE(is_tsf(file("a", "no header")));
}

TEST_F(TsTest, ReadsTheJapaneseVowels) {
  const auto vowels = std::filesystem::path(paths::shared_data()) / "JapaneseVowels_TRAIN.ts";
  if (!std::filesystem::exists(vowels)) GTEST_SKIP() << "SKIPPED: no " << vowels;
  const LabelledSequences data = read_ts(vowels, MissingPolicy::error);
  EXPECT_EQ(data.size(), 270);
  EXPECT_EQ(data.input_size, 12);
  EXPECT_EQ(data.class_names.size(), 9U);
  EXPECT_EQ(values_of(data.lengths)[0], 20);
  EXPECT_EQ(values_of(data.x)[0], 1.860936F);
  EXPECT_EQ(values_of(data.x)[1], -0.207383F) << "the second dimension of the first step";
}

}  // namespace
}  // namespace quadgate
