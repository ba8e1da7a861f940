// Sweeps models with a convolution through train, resume, evaluate, predict and inspect, over
// features and over tokens, and what does not fit the data. The sequences of data.h5 have 5 to 9
// steps. No tolerance: a resumed run has the same bits; messages are text.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ConvTest : public Workspace {
 protected:
  /// Trains with `conv`, the values of its table, and more arguments.
  Outcome train(const std::string& dir, const std::string& conv,
                std::vector<std::string> more = {}) const {
    std::string run_file = read("run.toml");
    run_file.insert(run_file.find("[train]"), "conv = {" + conv + "}\n");
    write("conv.toml", run_file);
    std::vector<std::string> args{"train", "conv.toml", "--set", "output.dir=" + dir};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }

  /// As train, which must fail and leave no run folder.
  void expect_refused(const std::string& conv, int code, const std::string& part,
                      std::vector<std::string> more = {}) const {
    more.emplace_back("--quiet");
    expect_error(train("refused", conv, std::move(more)), code, part);
    EXPECT_FALSE(std::filesystem::exists(path("refused")));
  }
};

constexpr const char* kPooled = "channels = 6, kernel_size = 4, padding = 1, pool_size = 2";

TEST_F(ConvTest, TrainsEvaluatesPredictsInspects) {
  const Outcome trained = train("run", kPooled, {"--set", "train.epochs=30"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr("; lstm 3 -> conv 4 x 6 -> 2 x 8 -> 3, "));
  EXPECT_THAT(read("run/run.toml"), HasSubstr("[model.conv]\nchannels = 6\nkernel_size = 4\n"));
  const auto metrics = nlohmann::json::parse(
      run({"evaluate", "run/checkpoint.h5", "--data", "data.h5", "--json"}).out);
  EXPECT_GT(metrics["accuracy"], 0.9);
  EXPECT_EQ(run({"predict", "run/checkpoint.h5", "--data", "data.h5", "-o", "out.csv"}).code,
            kExitDone);
  EXPECT_THAT(
      run({"inspect", "run/checkpoint.h5"}).out,
      AllOf(HasSubstr("cell lstm, input_size 6, "),
            HasSubstr("convolution: 3 features to 6 channels, kernel_size 4, padding 1, pool_size "
                      "2\n  conv.weight "),
            HasSubstr("[6, 3, 4]")));
}

TEST_F(ConvTest, ResumingGivesTheSameBits) {
  ASSERT_EQ(train("whole", kPooled, {"--set", "train.epochs=4"}).code, kExitDone);
  ASSERT_EQ(train("parts", kPooled, {"--set", "train.epochs=2"}).code, kExitDone);
  ASSERT_EQ(train("parts", kPooled, {"--set", "train.epochs=4", "--resume"}).code, kExitDone);
  for (const std::string name : {"whole", "parts"}) {
    ASSERT_EQ(
        run({"predict", name + "/checkpoint.h5", "--data", "data.h5", "-o", name + ".h5"}).code, 0);
  }
  EXPECT_EQ(read("whole.h5"), read("parts.h5"));
  expect_error(train("whole", "channels = 6, kernel_size = 4", {"--resume", "--quiet"}),
               kExitWrongUse, "model.conv.padding: expected 1 as in the run to resume, found 0");
}

TEST_F(ConvTest, StartsFromGivenWeights) {
  ASSERT_EQ(train("run", kPooled, {"--set", "train.epochs=1"}).code, kExitDone);
  ASSERT_EQ(train("next", kPooled, {"--set", "model.init=run/best.h5"}).code, kExitDone);
  expect_refused("channels = 6, kernel_size = 3", kExitFailed,
                 "'conv.weight' expected float32 [6, 3, 3], found float32 [6, 3, 4]",
                 {"--set", "model.init=run/best.h5"});
}

TEST_F(ConvTest, WhatDoesNotFitIsNamed) {
  expect_refused("channels = 6", kExitWrongUse,
                 "conv.toml: model.conv.kernel_size: expected an integer, at least 1, found no");
  expect_refused("channels = 0, kernel_size = 3", kExitWrongUse, "model.conv.channels: expected");
  expect_refused("channels = 6, kernel_size = 3, padding = 3", kExitWrongUse,
                 "conv.padding: expected at least 0 and below kernel_size 3, found 3");
  expect_refused("channels = 6, kernel_size = 3, pooling = 2", kExitWrongUse,
                 "unknown key 'model.conv.pooling'");
  // Some sequences are too short, then all.
  expect_refused("channels = 6, kernel_size = 8", kExitFailed, "data.h5: dataset 'train/x' row ");
  expect_refused("channels = 6, kernel_size = 80, padding = 2, pool_size = 3", kExitFailed,
                 "data.h5: dataset 'train/x' row 0: expected at least 78 steps (conv: kernel_size "
                 "80, padding 2, pool_size 3), found ");
}

TEST_F(ConvTest, OtherDataMayBeTooShort) {
  ASSERT_EQ(train("run", "channels = 6, kernel_size = 5").code, kExitDone);
  write("short.ts", "@classLabel true a b\n@data\n1,2,3,4:a\n1,2,3,4,5:b\n");
  write("long.ts", "@classLabel true a b\n@data\n1,2,3,4,5:a\n1,2,3,4,5:b\n");
  ASSERT_EQ(run({"prepare", "ts", "long.ts", "--test", "short.ts", "-o", "ts.h5"}).code, kExitDone);
  const std::vector<std::string> short_data{"--set", "data.path=ts.h5"};
  expect_refused("channels = 6, kernel_size = 5", kExitFailed,
                 "ts.h5: dataset 'test/x' row 0: expected at least 5 steps (conv: kernel_size 5, "
                 "padding 0, pool_size 1), found 4",
                 short_data);
  ASSERT_EQ(run({"prepare", "ts", "long.ts", "-o", "ts.h5"}).code, kExitDone);
  ASSERT_EQ(train("long", "channels = 6, kernel_size = 5", short_data).code, kExitDone);
  ASSERT_EQ(run({"prepare", "ts", "long.ts", "--test", "short.ts", "-o", "ts.h5"}).code, kExitDone);
  expect_error(run({"evaluate", "long/checkpoint.h5", "--data", "ts.h5"}), kExitFailed,
               "ts.h5: dataset 'test/x' row 0: expected at least 5 steps");
  EXPECT_EQ(run({"evaluate", "long/checkpoint.h5", "--data", "ts.h5", "--split", "train"}).code, 0);
}

TEST_F(ConvTest, TagsTokensIfTheStepsStay) {
  write("tags.conllu",
        "1\tbig\t_\tADJ\t_\t_\t_\t_\t_\t_\n2\tcake\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n"
        "1\tcake\t_\tNOUN\t_\t_\t_\t_\t_\t_\n\n");
  ASSERT_EQ(
      run({"prepare", "conllu", "tags.conllu", "--test", "tags.conllu", "-o", "tags.h5"}).code,
      kExitDone);
  const std::vector<std::string> tags{"--set", "data.path=tags.h5", "--set",
                                      "model.embedding_size=5"};
  expect_refused("channels = 6, kernel_size = 2, padding = 1", kExitWrongUse,
                 "conv: expected kernel_size = 2 padding + 1 and pool_size 1 for tagging, found "
                 "kernel_size 2, padding 1, pool_size 1",
                 tags);
  const Outcome trained = train("run", "channels = 6, kernel_size = 3, padding = 1", tags);
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(trained.err, HasSubstr(" tokens -> 5 -> conv 3 x 6 -> 2 x 8 -> "));
  EXPECT_EQ(run({"evaluate", "run/checkpoint.h5", "--data", "tags.h5"}).code, 0);
}

}  // namespace
}  // namespace quadgate::apps
