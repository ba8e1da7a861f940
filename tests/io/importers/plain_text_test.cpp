// Sweeps: characters of one to four bytes and words, blanks of every kind, several files, empty
// ones, and byte sequences that are not UTF-8 (the examples of RFC 3629 and of its table 3-7 in the
// Unicode standard).
// Tolerance: none.

#include "io/importers/plain_text.h"

#include <array>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "io/importers/utf8.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;
using testing::values_of;

class PlainTextTest : public testing::FolderTest {
 protected:
  /// The tokens by name.
  std::vector<std::string> read(const std::string& content, TextLevel level) const {
    WordList words;
    const TokenStream stream = read_plain_text(std::array{file("a.txt", content)}, level, words);
    std::vector<std::string> names;
    for (const std::int64_t token : values_of(stream.tokens)) names.emplace_back(words[token]);
    return names;
  }

  std::string error(const std::string& content) const {
    const std::string message =
        message_of<FileError>([&] { read(content, TextLevel::characters); });
    return message.substr(message.find("a.txt"));
  }
};

TEST_F(PlainTextTest, CharactersAreCodePoints) {
  EXPECT_THAT(read("aß\n樹 𝄞a\r\n", TextLevel::characters),
              ElementsAre("a", "ß", "\n", "樹", " ", "𝄞", "a", "\r", "\n"));
}

TEST_F(PlainTextTest, WordsStandBetweenBlanks) {
  EXPECT_THAT(read("  No, 樹\t\tit\r\n\nwas. ", TextLevel::words),
              ElementsAre("No,", "樹", "it", "<eos>", "<eos>", "was.", "<eos>"));
}

TEST_F(PlainTextTest, LinesOfWordsMayEndInCrAlone) {
  EXPECT_THAT(read("ab ba\rba ab\r\rab\r", TextLevel::words),
              ElementsAre("ab", "ba", "<eos>", "ba", "ab", "<eos>", "<eos>", "ab", "<eos>"));
  EXPECT_THAT(read("a\r\r\nb\r\nc\r", TextLevel::words),
              ElementsAre("a", "<eos>", "b", "<eos>", "c", "<eos>"));
}

TEST_F(PlainTextTest, FilesFollowEachOther) {
  const std::array files{file("a.txt", "ab"), file("b.txt", "ba")};
  WordList words;
  const TokenStream stream = read_plain_text(files, TextLevel::characters, words);
  EXPECT_THAT(values_of(stream.tokens), ElementsAre(0, 1, 1, 0));
  EXPECT_EQ(words.size(), 2);
}

TEST_F(PlainTextTest, NamesFileAndLine) {
  EXPECT_EQ(error(""), "a.txt: expected text, found none");
  EXPECT_EQ(error("\xEF\xBB\xBF"), "a.txt: expected text, found none");
  EXPECT_EQ(error("a\n\nb\xFF"), "a.txt:3: expected UTF-8, found byte 0xff");
  EXPECT_EQ(error(std::string("a\n\0", 3)), "a.txt:2: expected UTF-8, found byte 0x00");
}

TEST(Utf8Test, KnowsTheLengthOfACharacter) {
  EXPECT_EQ(utf8_size("ab"), 1);
  EXPECT_EQ(utf8_size("\xC2\x80"), 2);
  EXPECT_EQ(utf8_size("\xE2\x89\xA2x"), 3);
  EXPECT_EQ(utf8_size("\xED\x9F\xBF"), 3);
  EXPECT_EQ(utf8_size("\xF0\xA3\x8E\xB4"), 4);
  EXPECT_EQ(utf8_size("\xF4\x8F\xBF\xBF"), 4);
}

TEST(Utf8Test, RefusesWhatIsNone) {
  for (const char* const text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x61", "\xE0\x9F\xBF", "\xE2\x89",
        "\xE2\x89\x20", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\xA3\x8E",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF"}) {
    EXPECT_EQ(utf8_size(text), 0) << ::testing::PrintToString(text);
    EXPECT_GE(utf8_characters(text), 1) << ::testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace quadgate
