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
  TaggedSentences read(const std::string& content, const ConlluSource& source) {
    return read_conllu(std::array{file("a.conllu", content)}, source, words_, classes_);
  }
  TaggedSentences read(const std::string& content, TextLevel level = TextLevel::words) {
    return read(content, {ConlluColumn::upos, level});
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
  std::string error(const std::string& content, const ConlluSource& source) {
    const std::string message = message_of<FileError>([&] { read(content, source); });
    return message.substr(message.find("a.conllu"));
  }
  std::string error(const std::string& content, TextLevel level = TextLevel::words) {
    return error(content, {ConlluColumn::upos, level});
  }

  WordList words_;
  WordList classes_;
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

/// A line of all ten columns, of a word's ID, FORM, LEMMA, XPOS, FEATS and MISC.
std::string full(const std::string& id, const std::string& form, const std::string& lemma,
                 const std::string& xpos, const std::string& feats, const std::string& misc) {
  return id + "\t" + form + "\t" + lemma + "\tX\t" + xpos + "\t" + feats + "\t0\troot\t_\t" + misc +
         "\n";
}

const std::string kMary = "# global.Entity = eid-etype-head\n" +
                          full("1-2", "Mary's", "_", "_", "_", "Entity=(9-x-1)") +
                          full("1", "Mary", "Mary", "NNP", "Number=Sing", "NER=B-PER") +
                          full("2", "'s", "'s", "POS", "_", "SpaceAfter=No|NER=I-PER") +
                          full("2.1", "x", "x", "x", "x", "NER=B-LOC") +
                          full("3", "Cities", "city", "NNS", "Number=Plur", "ner=O") +
                          full("4", "_", "_", "_", "_", "_") + "\n";

TEST_F(ConlluTest, ReadsOtherColumns) {
  EXPECT_THAT(texts(read(kMary, {ConlluColumn::xpos})),
              ElementsAre("Mary/NNP 's/POS Cities/NNS _/_ "));
  classes_ = {};
  EXPECT_THAT(texts(read(kMary, {ConlluColumn::feats})),
              ElementsAre("Mary/Number=Sing 's/_ Cities/Number=Plur _/_ "));
  classes_ = {};
  const TaggedSentences lemmas = read(kMary, {ConlluColumn::lemma});
  EXPECT_THAT(texts(lemmas), ElementsAre("Mary/-0+ 's/-0+ Cities/lower-3+y _/-0+ "));
  EXPECT_EQ(lemmas.column, "LEMMA");
  classes_ = {};
  EXPECT_THAT(texts(read(kMary, {ConlluColumn::ner})),
              ElementsAre("Mary/B-PER 's/I-PER Cities/O _/O "));
  EXPECT_EQ(read(word("1", "a", "X")).column, "");
}

TEST_F(ConlluTest, ReadsEntitiesInBrackets) {
  std::string content = "# global.Entity = GRP-etype-infstat\n";
  int id = 0;
  for (const char* const misc :
       {"Entity=(4-person-giv(5-place-new)", "_", "Entity=4)", "_", "Entity=(6-event)|A=b",
        "Entity=(7-place(8-event", "Entity=8)7)", "Entity=(9--giv)", "Entity=(4-person",
        "Entity=4)(5-place-new", "Entity=5)"}) {
    content += full(std::to_string(++id), "w", "w", "X", "_", misc);
  }
  EXPECT_THAT(
      texts(read(content, {ConlluColumn::ner})),
      ElementsAre("w/B-person w/I-person w/I-person w/O w/B-event w/B-place w/I-place w/B-_ "
                  "w/B-person w/I-person w/B-place "));
  EXPECT_EQ(error(full("1", "w", "w", "X", "_", "Entity=(4-person)"), {ConlluColumn::ner}),
            "a.conllu:1: Entity: expected a comment '# global.Entity = eid-etype-...' above, which "
            "says where types are, found none");
  const std::string header = "# global.Entity = eid-etype\n";
  EXPECT_EQ(error(header + full("1", "w", "w", "X", "_", "Entity=4)"), {ConlluColumn::ner}),
            "a.conllu:2: Entity: expected an entity that is open, found ')'");
  EXPECT_EQ(error(header + full("1", "w", "w", "X", "_", "Entity=(4-person"), {ConlluColumn::ner}),
            "a.conllu:2: Entity: expected the end of 'person' before that of the sentence, found "
            "none");
  EXPECT_EQ(error(header + full("1", "w", "w", "X", "_", "Entity=(4-person)") +
                      full("2", "w", "w", "X", "_", "NER=O"),
                  {ConlluColumn::ner}),
            "a.conllu:3: MISC: expected NER=... or Entity=... in a file, found both");
}

TEST_F(ConlluTest, CutsEntitiesIntoCharacters) {
  const std::string content = full("1", "王明", "_", "_", "_", "NER=B-PER") +
                              full("2", "先生", "_", "_", "_", "NER=I-PER") +
                              full("3", "去", "_", "_", "_", "_");
  EXPECT_THAT(texts(read(content, {ConlluColumn::ner, TextLevel::characters})),
              ElementsAre("王/B-PER 明/I-PER 先/I-PER 生/I-PER 去/O "));
  EXPECT_EQ(
      error(full("1", "王明", "_", "_", "_", "NER=S-PER"),
            {ConlluColumn::ner, TextLevel::characters}),
      "a.conllu:1: NER: expected O, B-... or I-... at the level of characters, found 'S-PER'");
}

TEST_F(ConlluTest, WordsWithoutALemmaHaveNoLabel) {
  const TaggedSentences data =
      read(full("1", "a", "_", "_", "_", "_") + full("2", "b", "b", "_", "_", "_"),
           {ConlluColumn::lemma});
  EXPECT_THAT(values_of(data.tags), ElementsAre(-100, 0));
  EXPECT_EQ(data.unlabelled, 1);
}

TEST_F(ConlluTest, AColumnOfNothingIsRefused) {
  const std::string bare = word("1", "Sue", "PROPN");
  for (const auto& [column, expected] :
       {std::pair{ConlluColumn::xpos, "XPOS: expected a word that has it, found none"},
        {ConlluColumn::feats, "FEATS: expected a word that has it, found none"},
        {ConlluColumn::lemma, "LEMMA: expected a word that has it, found none"},
        {ConlluColumn::ner, "NER: expected NER=... or Entity=... in MISC of a word, found none"}}) {
    EXPECT_EQ(error(bare, {column}), "a.conllu: " + std::string(expected));
  }
  EXPECT_THAT(message_of<InvalidArgument>([&] {
                read(kMary, {ConlluColumn::lemma, TextLevel::characters});
              }),
              HasSubstr("LEMMA: expected the level of words, found characters"));
}

TEST_F(ConlluTest, ReadsSeveralFilesAsOne) {
  const std::array files{file("a.conllu", kEllipsis), file("b.conllu", kEllipsis)};
  const TaggedSentences data = read_conllu(files, {}, words_, classes_);
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
                  [&] { read_conllu(std::array{path("none.conllu")}, {}, words_, classes_); }),
              HasSubstr("none.conllu: No such file"));
}

}  // namespace
}  // namespace quadgate
