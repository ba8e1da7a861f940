// Sweeps: sequences of one and many lengths, and every kind of bad header and line; the Japanese
// vowels where the shared data are.
// Tolerance: none, numbers are parsed to the nearest float.

#include "io/importers/ts.h"

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

const std::string kHeader =
    "# about\n@problemName Test\n@timeStamps false\n@classLabel true no yes\n\n@data\n";

class TsTest : public testing::FolderTest {
 protected:
  LabelledSequences read(const std::string& content) const {
    return read_ts(file("a.ts", content));
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
            "a.ts:8: dimension 1: expected a number, found '?'");
  EXPECT_EQ(error(kHeader + "1,NaN:2,3:no\n"),
            "a.ts:7: dimension 1: expected a number, found 'NaN'");
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
  EXPECT_EQ(error("@timeStamps true\n"), "a.ts:1: @timeStamps: expected false, found 'true'");
  EXPECT_EQ(error("@classLabel false\n"),
            "a.ts:1: @classLabel: expected 'true' and the class names");
  EXPECT_EQ(error("@data\n"), "a.ts:1: expected a line @classLabel true ... before @data");
}

TEST_F(TsTest, ReadsTheJapaneseVowels) {
  const auto vowels = std::filesystem::path(QUADGATE_SHARED_DATA) / "JapaneseVowels_TRAIN.ts";
  if (!std::filesystem::exists(vowels)) GTEST_SKIP() << "SKIPPED: no " << vowels;
  const LabelledSequences data = read_ts(vowels);
  EXPECT_EQ(data.size(), 270);
  EXPECT_EQ(data.input_size, 12);
  EXPECT_EQ(data.class_names.size(), 9U);
  EXPECT_EQ(values_of(data.lengths)[0], 20);
  EXPECT_EQ(values_of(data.x)[0], 1.860936F);
  EXPECT_EQ(values_of(data.x)[1], -0.207383F) << "the second dimension of the first step";
}

}  // namespace
}  // namespace quadgate
