// Sweeps: words whose tag depends on what stands before them, and Chinese characters that are cut
// into words, from CoNLL-U to tagged text; blanks, empty lines, unknown words and lines by the
// hundred; text and checkpoints that cannot be tagged. Tolerance: none, the rules can be learnt.

#include <gmock/gmock.h>

#include <array>
#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

struct Word {
  const char* form;
  const char* tag;
};
using Sentence = std::vector<Word>;

std::string conllu(const std::vector<Sentence>& sentences) {
  std::string text;
  for (const Sentence& sentence : sentences) {
    int id = 0;
    for (const Word& word : sentence) {
      text += std::to_string(++id) + "\t" + word.form + "\t_\t" + word.tag + "\t_\t_\t_\t_\t_\t_\n";
    }
    text += "\n";
  }
  return text;
}

/// Subjects, verbs and objects in all combinations.
std::vector<Sentence> combine(const std::array<std::vector<Sentence>, 3>& phrases) {
  std::vector<Sentence> sentences;
  for (const Sentence& subject : phrases[0]) {
    for (const Sentence& verb : phrases[1]) {
      for (const Sentence& object : phrases[2]) {
        sentences.push_back(subject);
        sentences.back().insert(sentences.back().end(), verb.begin(), verb.end());
        sentences.back().insert(sentences.back().end(), object.begin(), object.end());
      }
    }
  }
  return sentences;
}

/// "can" and "fish" are nouns behind "the", and verbs of two kinds elsewhere.
std::string english() {
  const Sentence can{{"the", "DET"}, {"can", "NOUN"}};
  const Sentence fish{{"the", "DET"}, {"fish", "NOUN"}};
  const Sentence mary{{"Mary", "PROPN"}};
  return conllu(combine({{{can, fish, mary, {{"we", "PRON"}}},
                          {{{"can", "AUX"}, {"fish", "VERB"}}, {{"fish", "VERB"}}},
                          {can, fish, mary, {{"rarely", "ADV"}}}}}));
}

/// 我 is a word, and 我们 another one; 们 never begins one.
std::string chinese() {
  return conllu(combine({{{{{"我", "PRON"}}, {{"我们", "PRON"}}, {{"老师", "NOUN"}}},
                          {{{"喜欢", "VERB"}}, {{"吃", "VERB"}}, {{"不", "ADV"}, {"吃", "VERB"}}},
                          {{{"蛋糕", "NOUN"}, {"。", "PUNCT"}},
                           {{"蛋", "NOUN"}, {"。", "PUNCT"}},
                           {{"🐟", "NOUN"}, {"！", "PUNCT"}}}}}));
}

class TagTest : public Workspace {
 protected:
  /// Trains on the sentences until all their tags are right; leaves run/checkpoint.h5.
  void train(const std::string& sentences, const std::string& level) const {
    write("a.conllu", sentences);
    const Outcome prepared = run({"prepare", "conllu", "a.conllu", "--valid", "a.conllu", "--test",
                                  "a.conllu", "--level", level, "--min-count", "1", "-o", "a.h5"});
    ASSERT_EQ(prepared.code, kExitDone) << prepared.err;
    std::vector<std::string> args{"train", "run.toml"};
    for (const char* setting : {"data.path=a.h5", "model.embedding_size=8", "model.hidden_size=12",
                                "model.num_layers=1", "model.bidirectional=true", "model.dropout=0",
                                "train.batch_size=4", "train.epochs=40", "train.lr=2e-2"}) {
      args.insert(args.end(), {"--set", setting});
    }
    const Outcome trained = run(args);
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
    const auto metrics = nlohmann::json::parse(
        run({"evaluate", "run/checkpoint.h5", "--data", "a.h5", "--json"}).out);
    ASSERT_EQ(metrics["accuracy"], 1);
  }

  Outcome tag(const std::string& text, std::vector<std::string> more = {}) const {
    write("text.txt", text);
    std::vector<std::string> args{"tag", "run/checkpoint.h5", "text.txt"};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
};

TEST_F(TagTest, TagsWords) {
  train(english(), "words");
  const Outcome tagged = tag("the fish can fish the can\n\nwe fish\n");
  EXPECT_EQ(tagged.code, kExitDone) << tagged.err;
  EXPECT_EQ(tagged.out,
            "the/DET fish/NOUN can/AUX fish/VERB the/DET can/NOUN\n\n"
            "we/PRON fish/VERB\n");
  EXPECT_EQ(tag("\xEF\xBB\xBF \twe  can\tfish  Mary\r\n  \r\nMary").out,
            "we/PRON can/AUX fish/VERB Mary/PROPN\n\nMary/PROPN\n");
  EXPECT_THAT(tag("we fish 1/2 <unk>").out,
              testing::MatchesRegex("we/PRON fish/VERB 1/2/[A-Z]+ <unk>/[A-Z]+\n"));
  std::string lines;
  std::string expected;
  for (int i = 0; i < 150; ++i) {
    lines += i % 3 == 0 ? "the can can fish\n" : "Mary can fish Mary\n";
    expected += i % 3 == 0 ? "the/DET can/NOUN can/AUX fish/VERB\n"
                           : "Mary/PROPN can/AUX fish/VERB Mary/PROPN\n";
  }
  EXPECT_EQ(tag(lines, {"--threads", "2"}).out, expected);
}

TEST_F(TagTest, CutsAndTagsChinese) {
  train(chinese(), "characters");
  EXPECT_THAT(run({"inspect", "run/checkpoint.h5"}).out,
              testing::AllOf(testing::HasSubstr("tokens: characters of words\n"),
                             testing::HasSubstr("classes: 34 (B-ADJ, I-ADJ, ")));
  const Outcome tagged = tag("我们不吃蛋糕。\n我喜欢🐟！\n");
  EXPECT_EQ(tagged.code, kExitDone) << tagged.err;
  EXPECT_EQ(tagged.out,
            "我们/PRON 不/ADV 吃/VERB 蛋糕/NOUN 。/PUNCT\n我/PRON 喜欢/VERB 🐟/NOUN ！/PUNCT\n");
  EXPECT_EQ(tag("\u3000我们吃 蛋 糕。").out, "我们/PRON 吃/VERB 蛋/NOUN 糕/NOUN 。/PUNCT\n")
      << "a blank ends a word";
}

TEST_F(TagTest, NamesWhatCannotBeTagged) {
  train(english(), "words");
  for (const char* text : {"", "\n\n", " \t\r\n"}) {
    expect_error(tag(text), kExitFailed, "text.txt: expected sentences, a line each, found none");
  }
  expect_error(tag("we fish\nwe f\xC0sh\n"), kExitFailed,
               "text.txt:2: expected UTF-8, found byte 0xc0");
  expect_error(run({"tag", "run/checkpoint.h5", "none.txt"}), kExitFailed,
               "none.txt: No such file");
  expect_error(run({"tag", "none.h5", "text.txt"}), kExitFailed, "none.h5");
  expect_error(run({"tag", "a.h5", "text.txt"}), kExitFailed,
               "expected 'quadgate-checkpoint', found 'quadgate-dataset'");
  expect_error(run({"tag"}), kExitWrongUse, "checkpoint");
  expect_error(tag("we fish", {"--threads", "0"}), kExitWrongUse, "--threads");
}

TEST_F(TagTest, RefusesOtherModels) {
  write("text.txt", "we fish");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  expect_error(run({"tag", "run/checkpoint.h5", "text.txt"}), kExitWrongUse,
               "run/checkpoint.h5: expected a model that tags tokens, found one for classification "
               "of features");
  expect_error(run({"generate", "run/checkpoint.h5"}), kExitWrongUse,
               "run/checkpoint.h5: expected a language_model, found a model for classification");
  ASSERT_EQ(run({"prepare", "text", "text.txt", "-o", "text.h5"}).code, kExitDone);
  ASSERT_EQ(
      run({"train", "run.toml", "--set", "data.path=text.h5", "--set", "model.embedding_size=4",
           "--set", "train.batch_size=1", "--set", "output.dir=text"})
          .code,
      kExitDone);
  expect_error(run({"tag", "text/checkpoint.h5", "text.txt"}), kExitWrongUse,
               "text/checkpoint.h5: expected a model that tags tokens, found one for "
               "language_model");
}

}  // namespace
}  // namespace quadgate::apps
