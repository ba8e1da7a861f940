// Sweeps: sentences in CoNLL-U through prepare, inspect, train, resume, evaluate and predict; text
// through prepare, inspect, train, resume in the middle of an epoch, and evaluate; settings that do
// not fit the data.

#include <gmock/gmock.h>

#include <array>
#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

/// Sentences in which the tag of 蛋糕 and of every other word follows from the word alone.
std::string sentences(int count, int seed) {
  struct Word {
    const char* form;
    const char* tag;
  };
  constexpr std::array<Word, 6> kWords{{{"我", "PRON"},
                                        {"吃", "VERB"},
                                        {"蛋糕", "NOUN"},
                                        {"big", "ADJ"},
                                        {",", "PUNCT"},
                                        {"the", "DET"}}};
  std::string text;
  for (int row = 0; row < count; ++row) {
    text += "# sentence " + std::to_string(row) + "\n1-2\tboth\t_\t_\t_\t_\t_\t_\t_\t_\n";
    for (int i = 0; i < 3 + row % 4; ++i) {
      const auto& word =
          kWords.at(static_cast<std::size_t>(row * 7 + i * (row % 5 + 1) + seed) % kWords.size());
      text +=
          std::to_string(i + 1) + "\t" + word.form + "\t_\t" + word.tag + "\t_\t_\t_\t_\t_\t_\n";
    }
    text += "\n";
  }
  return text;
}

class TokensTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    write("train.conllu", sentences(60, 0));
    write("test.conllu", sentences(15, 3));
    const Outcome prepared = run({"prepare", "conllu", "train.conllu", "--test", "test.conllu",
                                  "--valid-fraction", "0.1", "-o", "tags.h5"});
    ASSERT_EQ(prepared.code, kExitDone) << prepared.err;
    EXPECT_EQ(prepared.out,
              "wrote tags.h5: 54 train, 6 valid, 15 test sentences\nvocabulary: 7 tokens\n");
  }

  Outcome train(const std::string& dir, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"train", "run.toml",
                                  "--set", "data.path=tags.h5",
                                  "--set", "model.embedding_size=6",
                                  "--set", "output.dir=" + dir};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
};

TEST_F(TokensTest, TagsSentences) {
  EXPECT_THAT(run({"inspect", "tags.h5"}).out,
              AllOf(HasSubstr("data set for tagging\ntrain: 54 sequences of 3 to 6 steps"),
                    HasSubstr("vocabulary: 7 (<unk>, "), HasSubstr("蛋糕"),
                    HasSubstr("classes: 17 (ADJ, ")));
  const Outcome trained = train("tags", {"--set", "train.epochs=40", "--set", "train.lr=5e-2",
                                         "--set", "model.num_layers=1"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("lstm 7 tokens -> 6 -> 1 x 8 -> 17, "));
  const auto metrics = nlohmann::json::parse(
      run({"evaluate", "tags/checkpoint.h5", "--data", "tags.h5", "--json"}).out);
  EXPECT_GT(metrics["accuracy"], 0.95);
  EXPECT_EQ(run({"predict", "tags/checkpoint.h5", "--data", "tags.h5", "-o", "out.csv"}).code,
            kExitDone);
  EXPECT_THAT(read("out.csv"), AllOf(StartsWith("row,step,token,predicted,probability,label\n0,0,"),
                                     HasSubstr(",NOUN,0."), HasSubstr(",PRON\n")));
  EXPECT_THAT(run({"inspect", "tags/best.h5"}).out,
              AllOf(HasSubstr("embedding: 7 tokens of 6 features\n  embedding.weight "),
                    HasSubstr("[7, 6]"), HasSubstr("vocabulary: 7 (<unk>, ")));
}

TEST_F(TokensTest, ResumingGivesTheSameBits) {
  ASSERT_EQ(train("whole", {"--set", "train.epochs=4"}).code, kExitDone);
  ASSERT_EQ(train("parts", {"--set", "train.epochs=2"}).code, kExitDone);
  ASSERT_EQ(train("parts", {"--set", "train.epochs=4", "--resume"}).code, kExitDone);
  ASSERT_EQ(run({"predict", "whole/checkpoint.h5", "--data", "tags.h5", "-o", "a.h5"}).code, 0);
  ASSERT_EQ(run({"predict", "parts/checkpoint.h5", "--data", "tags.h5", "-o", "b.h5"}).code, 0);
  EXPECT_EQ(read("a.h5"), read("b.h5"));
}

TEST_F(TokensTest, WhatDoesNotFitTheDataIsWrongUse) {
  expect_error(run({"train", "run.toml", "--set", "data.path=tags.h5"}), kExitWrongUse,
               "model.embedding_size: expected an integer, at least 1, for a data set of tokens");
  expect_error(run({"train", "run.toml", "--set", "model.embedding_size=6"}), kExitWrongUse,
               "model.embedding_size: expected no such key for a data set of features");
  expect_error(run({"train", "run.toml", "--set", "model.padding_index=0"}), kExitWrongUse,
               "model.padding_index: expected no such key for a data set of features");
  expect_error(train("bad", {"--set", "model.padding_index=7"}), kExitWrongUse,
               "padding_index: expected one of 7 tokens, found 7");
  ASSERT_EQ(train("tags").code, kExitDone);
  expect_error(run({"evaluate", "tags/checkpoint.h5", "--data", "data.h5"}), kExitFailed, "task");
  ASSERT_EQ(run({"prepare", "conllu", "test.conllu", "--min-count", "9", "--test", "test.conllu",
                 "-o", "other.h5"})
                .code,
            kExitDone);
  expect_error(run({"evaluate", "tags/checkpoint.h5", "--data", "other.h5"}), kExitFailed,
               "other.h5: vocabulary: the model expects 7 (<unk>, ");
  auto words = sentences(60, 0);
  for (std::size_t at = 0; (at = words.find("蛋糕", at)) != std::string::npos;) {
    words.replace(at, std::string_view("蛋糕").size(), "cake");
  }
  write("words.conllu", words);
  ASSERT_EQ(
      run({"prepare", "conllu", "words.conllu", "--test", "words.conllu", "-o", "words.h5"}).code,
      kExitDone);
  expect_error(run({"predict", "tags/checkpoint.h5", "--data", "words.h5", "-o", "out.csv"}),
               kExitFailed,
               "words.h5: vocabulary: the model expects '我' as number 2, found 'cake'");
}

TEST_F(TokensTest, BadFilesAreNamed) {
  write("bad.conllu", "# text\n1\tSue\n");
  expect_error(run({"prepare", "conllu", "bad.conllu", "-o", "bad.h5"}), kExitFailed,
               "bad.conllu:2: expected 10 columns");
  write("bad.txt", "fine\n\xFF\n");
  expect_error(run({"prepare", "text", "bad.txt", "-o", "bad.h5"}), kExitFailed,
               "bad.txt:2: expected UTF-8, found byte 0xff");
  expect_error(run({"prepare", "text", "bad.txt", "--level", "lines", "-o", "bad.h5"}),
               kExitWrongUse, "--level");
  expect_error(run({"prepare", "conllu", "train.conllu", "--min-count", "0", "-o", "bad.h5"}),
               kExitWrongUse, "min_count: expected at least 1, found 0");
}

/// A text whose words follow each other in one order.
class LanguageModelTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    std::string text;
    for (int i = 0; i < 200; ++i) text += i % 3 == 0 ? "we eat 蛋糕 " : "we sleep ";
    write("text.txt", text);
    ASSERT_EQ(run({"prepare", "text", "text.txt", "--valid-fraction", "0.2", "-o", "text.h5"}).code,
              kExitDone);
  }

  Outcome train(const std::string& dir, std::vector<std::string> more = {}) const {
    std::vector<std::string> args{"train", "run.toml", "--set", "data.path=text.h5"};
    for (const auto* const setting :
         {"model.embedding_size=6", "train.batch_size=4", "train.bptt_len=10"}) {
      args.insert(args.end(), {"--set", setting});
    }
    args.insert(args.end(), {"--set", "output.dir=" + dir});
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }

  /// All but how fast it was.
  nlohmann::json evaluate(const std::string& checkpoint) const {
    auto metrics = nlohmann::json::parse(
        run({"evaluate", checkpoint, "--data", "text.h5", "--split", "valid", "--json"}).out);
    metrics.erase("tokens_per_s");
    return metrics;
  }
};

TEST_F(LanguageModelTest, LearnsWhatComesNext) {
  const Outcome trained = train("run", {"--json"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("  perplexity "));
  const auto last = nlohmann::json::parse(
      trained.out.substr(trained.out.find_last_of('\n', trained.out.size() - 2) + 1));
  EXPECT_LT(last["valid_perplexity"], 3);
  const auto metrics = evaluate("run/checkpoint.h5");
  EXPECT_NEAR(metrics["perplexity"], last["valid_perplexity"], 1e-5);
  EXPECT_THAT(run({"inspect", "run/best.h5"}).out,
              AllOf(HasSubstr("checkpoint of a model for language_model\n"),
                    HasSubstr("text: 4 streams, 10 tokens at a time\n")));
  EXPECT_THAT(read("run/run.toml"),
              AllOf(HasSubstr("shuffle = false\n"), HasSubstr("bptt_len = 10\n")));
  EXPECT_THAT(
      run({"predict", "run/best.h5", "--data", "text.h5", "--split", "valid", "-o", "o.csv"}).out,
      HasSubstr("wrote o.csv: the tokens' surprisal, perplexity "));
  EXPECT_THAT(read("o.csv"), StartsWith("position,token,surprisal\n0,"));
}

TEST_F(LanguageModelTest, ResumesInTheMiddleOfAnEpochWithItsStates) {
  std::vector<std::string> often;
  for (const auto* const setting :
       {"train.checkpoint_every_steps=7", "model.input_dropout=0.1", "model.output_dropout=0.2",
        "model.locked_dropout=true", "model.weight_dropout=0.3"}) {
    often.insert(often.end(), {"--set", setting});
  }
  ASSERT_EQ(train("reference", often).code, kExitDone);
  ASSERT_EQ(train("run", often).code, kExitDone);
  write("run/checkpoint.h5", "damaged");
  EXPECT_THAT(run({"inspect", "run/checkpoint.prev.h5"}).out,
              AllOf(HasSubstr("training state: 2 epochs and "),
                    HasSubstr("input_dropout 0.1, output_dropout 0.2, locked_dropout, "
                              "weight_dropout 0.3\n")));
  auto resume = often;
  resume.emplace_back("--resume");
  const Outcome resumed = train("run", resume);
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  EXPECT_EQ(evaluate("run/checkpoint.h5"), evaluate("reference/checkpoint.h5"));
}

TEST_F(LanguageModelTest, GeneratesText) {
  ASSERT_EQ(train("run", {"--set", "train.epochs=12", "--set", "train.lr=0.02"}).code, kExitDone);
  const auto generate = [&](std::vector<std::string> more) {
    std::vector<std::string> args{"generate", "run/checkpoint.h5", "--length", "40"};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  };
  const Outcome likeliest = generate({"--prompt", "we eat ", "--temperature", "0"});
  ASSERT_EQ(likeliest.code, kExitDone) << likeliest.err;
  EXPECT_THAT(likeliest.out, testing::StartsWith("we eat 蛋糕 we sleep we sleep we "));
  const std::string drawn = generate({"--temperature", "2"}).out;
  EXPECT_EQ(generate({"--temperature", "2"}).out, drawn);
  EXPECT_NE(generate({"--temperature", "2", "--seed", "2"}).out, drawn);
  EXPECT_THAT(drawn, testing::Not(HasSubstr("<unk>")));
  expect_error(generate({"--temperature", "-1"}), kExitWrongUse, "--temperature");
  expect_error(generate({"--prompt", "we \xFF"}), kExitWrongUse,
               "--prompt: expected UTF-8, found byte 0xff");
  expect_error(run({"generate", "missing.h5"}), kExitFailed, "missing.h5");
}

TEST_F(LanguageModelTest, GeneratesWords) {
  write("words.txt", read("text.txt"));
  ASSERT_EQ(run({"prepare", "text", "words.txt", "--level", "words", "-o", "words.h5"}).code,
            kExitDone);
  ASSERT_EQ(train("run", {"--set", "data.path=words.h5", "--set", "train.epochs=30", "--set",
                          "train.lr=0.02"})
                .code,
            kExitDone);
  EXPECT_THAT(
      run({"generate", "run/checkpoint.h5", "--prompt", "we eat", "--temperature", "0"}).out,
      testing::StartsWith("we eat 蛋糕 we "));
}

TEST_F(LanguageModelTest, TiesTheWeights) {
  ASSERT_EQ(
      train("run", {"--set", "model.embedding_size=8", "--set", "model.tie_weights=true"}).code,
      kExitDone);
  EXPECT_THAT(run({"inspect", "run/checkpoint.h5"}).out,
              AllOf(HasSubstr(" tokens of 8 features, tied to the head's weight\n"),
                    testing::Not(HasSubstr("  head.weight "))));
  EXPECT_LT(evaluate("run/checkpoint.h5")["perplexity"], 6);
}

TEST_F(LanguageModelTest, WhatDoesNotFitIsWrongUse) {
  expect_error(train("run", {"--set", "model.tie_weights=true"}), kExitWrongUse,
               "tie_weights: expected an embedding of ");
  expect_error(
      train("run", {"--set", "model.conv.channels=4", "--set", "model.conv.kernel_size=3"}),
      kExitWrongUse, "model.conv: expected none for a language_model");
  expect_error(train("run", {"--set", "train.shuffle=true"}), kExitWrongUse,
               "train.shuffle: expected false for a language_model, found true");
  expect_error(train("run", {"--set", "model.bidirectional=true"}), kExitWrongUse,
               "model.bidirectional: expected false for a language_model, found true");
  expect_error(run({"train", "run.toml", "--set", "train.bptt_len=10"}), kExitWrongUse,
               "train.bptt_len: expected no such key but for a language_model");
  expect_error(train("run", {"--set", "train.batch_size=10000"}), kExitFailed,
               "text.h5: dataset 'train/x': expected at least 2 tokens for each of 10000 streams");
}

TEST_F(TokensTest, MakesAndInspectsText) {
  write("a.txt", "我吃 cake\n我 sleep\n");
  write("b.txt", "我吃");
  const Outcome prepared = run({"prepare", "text", "a.txt", "b.txt", "--valid-fraction", "0.1",
                                "--test", "b.txt", "-o", "text.h5"});
  EXPECT_EQ(prepared.out,
            "wrote text.h5: 16 train, 2 valid, 2 test tokens\nvocabulary: 12 tokens\n")
      << prepared.err;
  EXPECT_THAT(run({"inspect", "text.h5"}).out,
              AllOf(StartsWith("data set for language_model\ntrain: 16 tokens\nvalid: 2 tokens\n"),
                    HasSubstr("vocabulary: 12 (<unk>, "), HasSubstr(", \\n, ")));
  EXPECT_EQ(run({"prepare", "text", "a.txt", "--level", "words", "-o", "words.h5"}).out,
            "wrote words.h5: 6 train, 0 valid, 0 test tokens\nvocabulary: 2 tokens\n");
}

}  // namespace
}  // namespace quadgate::apps
