// Sweeps: the examples of multiword tokens and empty nodes of the format's page
// (https://universaldependencies.org/format.html), Chinese, several files, ends of lines and of
// files, and every kind of bad line.
// Tolerance: none.

#include "io/importers/conllu.h"

#include <array>
#include <string>
#include <vector>

#include "engine/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

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
  TaggedSentences read(const std::string& content) const {
    return read_conllu(std::array{file("a.conllu", content)});
  }

  /// The sentences' words with their tags: "vamos/VERB nos/PRON ...".
  static std::vector<std::string> texts(const TaggedSentences& data) {
    std::vector<std::string> sentences;
    for (std::size_t row = 0; row + 1 < data.offsets.size(); ++row) {
      sentences.emplace_back();
      for (auto i = static_cast<std::size_t>(data.offsets[row]);
           std::cmp_less(i, data.offsets[row + 1]); ++i) {
        sentences.back() += data.words[static_cast<std::size_t>(data.tokens[i])] + "/" +
                            data.class_names[static_cast<std::size_t>(data.tags[i])] + " ";
      }
    }
    return sentences;
  }

  /// The error's message, without the folder.
  std::string error(const std::string& content) const {
    const std::string message = message_of<FileError>([&] { read(content); });
    return message.substr(message.find("a.conllu"));
  }
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

TEST_F(ConlluTest, ReadsSeveralFilesAsOne) {
  const std::array files{file("a.conllu", kEllipsis), file("b.conllu", kEllipsis)};
  const TaggedSentences data = read_conllu(files);
  EXPECT_EQ(data.size(), 2);
  EXPECT_EQ(data.words.size(), 3);
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
  EXPECT_THAT(message_of<FileError>([&] { read_conllu(std::array{path("none.conllu")}); }),
              HasSubstr("none.conllu: No such file"));
}

}  // namespace
}  // namespace quadgate
