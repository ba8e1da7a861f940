// Sweeps: the examples of multiword tokens and empty nodes of the format's page
// (https://universaldependencies.org/format.html), Chinese, characters of one to four bytes,
// several files, ends of lines and of files, and every kind of bad line. Tolerance: none.

#include "io/importers/conllu.h"

#include <array>
#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/spools.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::values_of;

/// A line with a word's ID, FORM and UPOS.
std::string word(const std::string& id, const std::string& form, const std::string& tag) {
  return id + "\t" + form + "\t_\t" + tag + "\t_\t_\t0\troot\t_\t_\n";
}

const std::string kSpanish = "# text = vámonos al mar\n" + word("1-2", "vámonos", "_") +
                             word("1", "vamos", "VERB") + word("2", "nos", "PRON") +
                             word("3-4", "al", "_") + word("3", "a", "ADP") +
                             word("4", "el", "DET") + word("5", "mar", "NOUN") + "\n";
const std::string kEllipsis = "# text = Sue likes coffee and Bill tea\n" +
                              word("1", "Sue", "PROPN") + word("2", "likes", "VERB") +
                              word("2.1", "likes", "VERB") + word("3", "tea", "NOUN");

class ConlluTest : public testing::FolderTest {
 protected:
  TaggedSentences read(const std::string& content, TextLevel level = TextLevel::words) {
    return read_conllu(std::array{file("a.conllu", content)}, level, words_);
  }

  /// The sentences' words with their tags: "vamos/VERB nos/PRON ...".
  std::vector<std::string> texts(const TaggedSentences& data) const {
    SpooledIntegers::Reader tokens(data.tokens);
    SpooledIntegers::Reader tags(data.tags);
    std::vector<std::string> sentences;
    for (const std::int64_t length : values_of(data.lengths)) {
      sentences.emplace_back();
      for (std::int64_t i = 0; i < length; ++i) {
        sentences.back() += std::string(words_[tokens.next()]) + "/" +
                            data.class_names[static_cast<std::size_t>(tags.next())] + " ";
      }
    }
    return sentences;
  }

  /// The error's message, without the folder.
  std::string error(const std::string& content, TextLevel level = TextLevel::words) {
    const std::string message = message_of<FileError>([&] { read(content, level); });
    return message.substr(message.find("a.conllu"));
  }

  WordList words_;
};

TEST_F(ConlluTest, ReadsSyntacticWords) {
  EXPECT_THAT(
      texts(read(kSpanish + "\n\n" + kEllipsis)),
      ElementsAre("vamos/VERB nos/PRON a/ADP el/DET mar/NOUN ", "Sue/PROPN likes/VERB tea/NOUN "));
  EXPECT_EQ(read(kSpanish).class_names.size(), 17);
}

TEST_F(ConlluTest, ReadsChineseAndWindowsLines) {
  EXPECT_THAT(texts(read("\xEF\xBB\xBF# text = 我愛樹\r\n1\t我\t_\tPRON\t_\t_\t_\t_\t_\t_\r\n"
                         "2\t愛\t_\tVERB\t_\t_\t_\t_\t_\t_\r\n\r\n1\tNew York\t_\tPROPN\t_\t_\t_\t_"
                         "\t_\t_\r\n")),
              ElementsAre("我/PRON 愛/VERB ", "New York/PROPN "));
}

TEST_F(ConlluTest, CutsWordsIntoCharacters) {
  const std::string chinese = word("1", "我們", "PRON") + word("2-3", "吃蛋糕", "_") +
                              word("2", "吃", "VERB") + word("3", "蛋糕", "NOUN") + "\n";
  // U+20BB7 and U+1F333 lie beyond the first plane; the second é is e and U+0301.
  const std::string others =
      word("1", "𠮷🌳", "NOUN") + word("2", "é", "X") + word("3", "e\u0301a", "ADJ");
  const TaggedSentences data = read(chinese + others, TextLevel::characters);
  EXPECT_THAT(texts(data), ElementsAre("我/B-PRON 們/I-PRON 吃/B-VERB 蛋/B-NOUN 糕/I-NOUN ",
                                       "𠮷/B-NOUN 🌳/I-NOUN é/B-X e/B-ADJ \u0301/I-ADJ a/I-ADJ "));
  EXPECT_EQ(data.level, TextLevel::characters);
  EXPECT_EQ(data.class_names.size(), 34);
  EXPECT_EQ(words_.size(), 11);
  EXPECT_EQ(error(chinese + word("1", "糕\xE8\x9B", "NOUN"), TextLevel::characters),
            "a.conllu:6: expected UTF-8, found byte 0xe8");
  EXPECT_EQ(error(word("1", "\xED\xA0\x80", "NOUN"), TextLevel::characters),
            "a.conllu:1: expected UTF-8, found byte 0xed");
  EXPECT_EQ(error(word("1", "我們", "PRON") + word("3", "吃", "VERB"), TextLevel::characters),
            "a.conllu:2: ID: expected 2, found '3'");
}

TEST_F(ConlluTest, ReadsSeveralFilesAsOne) {
  const std::array files{file("a.conllu", kEllipsis), file("b.conllu", kEllipsis)};
  const TaggedSentences data = read_conllu(files, TextLevel::words, words_);
  EXPECT_EQ(data.size(), 2);
  EXPECT_EQ(words_.size(), 3);
  EXPECT_EQ(data.path, files[0]);
}

TEST_F(ConlluTest, NamesFileLineAndField) {
  EXPECT_EQ(error(""), "a.conllu: expected sentences in CoNLL-U, found none");
  EXPECT_EQ(error("# nothing but a comment\n\n"),
            "a.conllu: expected sentences in CoNLL-U, found none");
  EXPECT_EQ(error(kSpanish + "1 Sue PROPN\n"),
            "a.conllu:10: expected 10 columns with tabs between, found 1");
  EXPECT_EQ(error(word("1", "Sue", "PROPN") + word("3", "likes", "VERB")),
            "a.conllu:2: ID: expected 2, found '3'");
  EXPECT_EQ(error(word("1a", "Sue", "PROPN")), "a.conllu:1: ID: expected 1, found '1a'");
  EXPECT_EQ(error(word("-1", "Sue", "PROPN")), "a.conllu:1: ID: expected 1, found '-1'");
  EXPECT_EQ(error(word("1", "", "PROPN")), "a.conllu:1: FORM: expected a word, found nothing");
  EXPECT_THAT(error(word("1", "Sue", "NNP")),
              ::testing::AllOf(HasSubstr("a.conllu:1: UPOS: expected one of ADJ, ADP, "),
                               HasSubstr(", X, found 'NNP'")));
  EXPECT_THAT(error(word("1", "Sue", "_")), HasSubstr("found '_'"));
  EXPECT_EQ(error(kSpanish + "\n" + word("1", "caf\xE9", "NOUN")),
            "a.conllu:11: expected UTF-8, found byte 0xe9");
  EXPECT_THAT(message_of<FileError>(
                  [&] { read_conllu(std::array{path("none.conllu")}, TextLevel::words, words_); }),
              HasSubstr("none.conllu: No such file"));
}

}  // namespace
}  // namespace quadgate
