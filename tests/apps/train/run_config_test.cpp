// Sweeps the keys of a run file: read, set from outside, written back, and compared for resuming.
// No tolerance: nothing is rounded.

#include "apps/train/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

#include "apps/train/run_config_keys.h"
#include "engine/base/error.h"
#include "tests/apps/train/run_file_text.h"
#include "tests/support/paths.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kEveryKey = R"(
[data]
path = ["a \"quoted\" name.h5", "b.h5"]
input_len = 96
horizon = 24
stride = 2
targets = ["OT", "HU,FL"]
[model]
cell = "rnn_tanh"
embedding_size = 48
padding_index = 0
sparse_embedding = false
hidden_size = 64
num_layers = 2
bidirectional = true
dropout = 0.1
input_dropout = 0.2
output_dropout = 0.3
locked_dropout = true
weight_dropout = 0.4
proj_size = 7
bias = false
init = "start.h5"
precision = "f32"
pooling = "max"
[train]
epochs = 30
batch_size = 20
loss = "cross_entropy"
label_smoothing = 0.1
class_weights = [0.1, 2, 1e30]
ignore_index = -1
optimizer = "sgd"
lr = 1e-3
momentum = 0.9
weight_decay = 1e-30
clip_norm = 5
shuffle = false
bptt_len = 35
seed = 7
threads = 3
checkpoint_every_steps = 500
checkpoint_every_minutes = 2.5
[output]
dir = "runs/vowels"
)";

/// Files that together have the keys of every optimizer and schedule, with values unlike the
/// defaults; to be put behind kSmallest's "epochs = 30".
constexpr const char* kTrainings[] = {
    R"(
optimizer = "sgd"
momentum = 0.5
nesterov = true
accumulate_steps = 4
early_stopping_patience = 5
[train.schedule]
kind = "step"
warmup_steps = 100
step_size = 3
gamma = 0.5
)",
    R"(
loss = "huber"
huber_delta = 0.5
optimizer = "adamw"
betas = [0.5, 0.625]
eps = 0.25
shuffle_buffer = 1000
bucket_by_length = true
schedule = {kind = "cosine", T_max = 7, eta_min = 1e-5}
)",
    R"(
optimizer = "rmsprop"
alpha = 0.5
eps = 0.25
momentum = 0.5
centered = true
weight_decay = 0.75
schedule.kind = "one_cycle"
schedule.max_lr = 0.5
schedule.total_steps = 1000
schedule.pct_start = 1
schedule.div_factor = 2
schedule.final_div_factor = 4
)",
    R"(
schedule = {kind = "reduce_on_plateau", factor = 0.5, patience = 0, threshold = 0.25}
)"};

std::string with_training(const char* keys) {
  std::string text = kSmallest;
  return text.insert(text.find("[output]"), keys);
}

TEST(RunConfigTest, SmallestFileHasDefaults) {
  const RunConfig config = parse(kSmallest);
  EXPECT_THAT(config.data.path.names, ElementsAre("vowels.h5"));
  EXPECT_FALSE(config.train.shuffle_buffer);
  EXPECT_FALSE(config.train.bucket_by_length);
  EXPECT_EQ(config.model.hidden_size, 64);
  EXPECT_EQ(config.model.num_layers, 1);
  EXPECT_FALSE(config.model.bidirectional);
  EXPECT_EQ(config.train.epochs, 30);
  EXPECT_EQ(config.train.batch_size, 32);
  EXPECT_EQ(config.train.optimizer.kind, OptimizerConfig::Kind::adam);
  EXPECT_EQ(config.train.optimizer.lr, 1e-3);
  EXPECT_FALSE(config.train.optimizer.clip_norm);
  EXPECT_FALSE(config.train.shuffle.has_value());
  EXPECT_EQ(config.train.seed, 1);
  EXPECT_FALSE(config.train.threads);
  EXPECT_FALSE(config.window());
  EXPECT_EQ(config.output_dir, "runs/vowels");
}

TEST(RunConfigTest, EveryKeyIsRead) {
  const RunConfig config = parse(kEveryKey);
  EXPECT_THAT(config.data.path.names, ElementsAre("a \"quoted\" name.h5", "b.h5"));
  EXPECT_EQ(config.window(), (Window{96, 24, 2, {"OT", "HU,FL"}}));
  EXPECT_EQ(config.model.embedding_size, 48);
  EXPECT_EQ(config.model.padding_index, 0);
  EXPECT_FALSE(config.model.sparse_embedding);
  EXPECT_EQ(config.model.num_layers, 2);
  EXPECT_TRUE(config.model.bidirectional);
  EXPECT_EQ(config.model.dropout, 0.1);
  EXPECT_EQ(config.model.input_dropout, 0.2);
  EXPECT_EQ(config.model.output_dropout, 0.3);
  EXPECT_TRUE(config.model.locked_dropout);
  EXPECT_EQ(config.model.weight_dropout, 0.4);
  EXPECT_FALSE(config.model.bias);
  EXPECT_EQ(config.model.init, "start.h5");
  EXPECT_EQ(config.model.pooling, Pooling::max);
  EXPECT_EQ(config.train.batch_size, 20);
  EXPECT_EQ(
      config.train.loss,
      (LossConfig{.kind = LossKind::cross_entropy, .label_smoothing = 0.1, .ignore_index = -1}));
  EXPECT_EQ(config.train.class_weights, (RunConfig::ClassWeights{.values = {0.1F, 2, 1e30F}}));
  EXPECT_EQ(config.train.optimizer.kind, OptimizerConfig::Kind::sgd);
  EXPECT_EQ(config.train.optimizer.momentum, 0.9);
  EXPECT_EQ(config.train.optimizer.weight_decay, 1e-30);
  EXPECT_EQ(config.train.optimizer.clip_norm, 5.0);
  EXPECT_EQ(config.train.shuffle, false);
  EXPECT_EQ(config.train.bptt_len, 35);
  EXPECT_EQ(config.train.seed, 7);
  EXPECT_EQ(config.train.threads, 3);
  EXPECT_EQ(config.train.checkpoint_every_steps, 500);
  EXPECT_EQ(config.train.checkpoint_every_minutes, 2.5);
}

TEST(RunConfigTest, EveryOptimizerAndScheduleIsRead) {
  const auto sgd = parse(with_training(kTrainings[0])).train;
  EXPECT_TRUE(sgd.optimizer.nesterov);
  EXPECT_EQ(sgd.optimizer.accumulate_steps, 4);
  EXPECT_EQ(sgd.early_stopping_patience, 5);
  EXPECT_EQ(sgd.schedule.kind, ScheduleConfig::Kind::step);
  EXPECT_EQ(sgd.schedule.warmup_steps, 100);
  EXPECT_EQ(sgd.schedule.step_size, 3);
  EXPECT_EQ(sgd.schedule.gamma, 0.5);
  const auto adamw = parse(with_training(kTrainings[1])).train;
  EXPECT_EQ(adamw.optimizer.betas, (std::array{0.5, 0.625}));
  EXPECT_EQ(adamw.optimizer.eps, 0.25);
  EXPECT_EQ(adamw.schedule.t_max, 7);
  EXPECT_EQ(adamw.schedule.eta_min, 1e-5);
  const auto rmsprop = parse(with_training(kTrainings[2])).train;
  EXPECT_EQ(rmsprop.optimizer.kind, OptimizerConfig::Kind::rmsprop);
  EXPECT_EQ(rmsprop.optimizer.alpha, 0.5);
  EXPECT_EQ(rmsprop.optimizer.eps, 0.25);
  EXPECT_EQ(rmsprop.optimizer.momentum, 0.5);
  EXPECT_TRUE(rmsprop.optimizer.centered);
  EXPECT_EQ(rmsprop.schedule.max_lr, 0.5);
  EXPECT_EQ(rmsprop.schedule.total_steps, 1000);
  EXPECT_EQ(rmsprop.schedule.pct_start, 1);
  EXPECT_EQ(rmsprop.schedule.div_factor, 2);
  EXPECT_EQ(rmsprop.schedule.final_div_factor, 4);
  const auto plateau = parse(with_training(kTrainings[3])).train.schedule;
  EXPECT_EQ(plateau.factor, 0.5);
  EXPECT_EQ(plateau.patience, 0);
  EXPECT_EQ(plateau.threshold, 0.25);
}

TEST(RunConfigTest, EachOptimizerHasPyTorchsDefaults) {
  EXPECT_EQ(parse(kSmallest, {"train.optimizer=adamw"}).train.optimizer.weight_decay, 0.01);
  EXPECT_EQ(parse(kSmallest, {"train.optimizer=adam"}).train.optimizer.weight_decay, 0);
  EXPECT_EQ(parse(kSmallest, {"train.optimizer=rmsprop"}).train.optimizer.lr, 0.01);
  EXPECT_EQ(parse(kSmallest, {"train.optimizer=rmsprop", "train.lr=3"}).train.optimizer.lr, 3);
}

TEST(RunConfigTest, WeightsBeginAsAskedOnlyIfTheyAreRandom) {
  const auto model = parse(kSmallest, {"model.orthogonal=true", "model.forget_bias=1"}).model;
  EXPECT_TRUE(model.orthogonal);
  EXPECT_EQ(model.forget_bias, 1.0);
  EXPECT_THAT(error_of(kSmallest, {"model.init=a.h5", "model.orthogonal=true"}),
              HasSubstr("model.orthogonal: expected only with weights without init, found true"));
  EXPECT_THAT(error_of(kSmallest, {"model.bias=false", "model.forget_bias=1"}),
              HasSubstr("model.forget_bias: expected only with an lstm with biases"));
}

TEST(RunConfigTest, LockedDropoutIsOfFeatures) {
  for (const char* key : {"dropout", "input_dropout", "output_dropout"}) {
    const std::string dropout = "model." + std::string(key) + "=0.5";
    EXPECT_TRUE(parse(kSmallest, {"model.locked_dropout=true", dropout}).model.locked_dropout);
  }
  EXPECT_EQ(error_of(kSmallest, {"model.locked_dropout=true", "model.weight_dropout=0.5"}),
            "--set: model.locked_dropout: expected only with dropout, input_dropout or "
            "output_dropout, found true");
}

TEST(RunConfigTest, AConvolutionHasATableOfItsOwn) {
  const auto with = [](const std::string& keys) {
    std::string text = kSmallest;
    return text.insert(text.find("[train]"), keys + "\n");
  };
  EXPECT_FALSE(parse(kSmallest).model.conv.channels);
  const std::string smallest = with("conv = {channels = 16, kernel_size = 5}");
  EXPECT_EQ(parse(smallest).model.conv.channels, 16);
  EXPECT_EQ(parse(smallest).model.conv.kernel_size, 5);
  EXPECT_EQ(parse(smallest).model.conv.padding, 0);
  EXPECT_EQ(parse(smallest).model.conv.pool_size, 1);
  EXPECT_THAT(to_toml(parse(smallest)),
              HasSubstr("\n\n[model.conv]\nchannels = 16\nkernel_size = 5\npadding = 0\n"
                        "pool_size = 1\n\n[train]\n"));
  const std::string whole =
      with("[model.conv]\nchannels = 16\nkernel_size = 5\npadding = 2\npool_size = 3");
  EXPECT_EQ(parse(whole).model.conv.padding, 2);
  EXPECT_EQ(parse(whole).model.conv.pool_size, 3);
  EXPECT_NO_THROW(expect_same_run(parse(whole), parse(to_toml(parse(whole)))));
  EXPECT_THROW(expect_same_run(parse(whole), parse(smallest)), InvalidArgument);
  EXPECT_EQ(error_of_set("model.conv.channels=16"),
            "run.toml: model.conv.kernel_size: expected an integer, at least 1, found no such key");
  EXPECT_EQ(error_of_set("model.conv.kernel_size=5"),
            "--set: model.conv.kernel_size: expected only with channels, found 5");
  EXPECT_THAT(error_of_set("model.conv.kernal_size=5"), HasSubstr("'model.conv.kernel_size'"));
  for (const char* assignment : {"channels=0", "kernel_size=0", "kernel_size=2.5", "padding=-1",
                                 "pool_size=0", "pool_size=a"}) {
    const std::string key = "model.conv." + std::string(assignment);
    EXPECT_THAT(error_of(smallest, {key}),
                StartsWith("--set: " + key.substr(0, key.find('=')) + ": expected an integer"));
  }
}

TEST(RunConfigTest, CompletesTheSchedule) {
  const auto completed = [](std::vector<std::string> overrides) {
    RunConfig config = parse(kSmallest, std::move(overrides));
    complete_schedule(config, 7);
    return config.train.schedule;
  };
  EXPECT_EQ(completed({"train.schedule.kind=cosine"}).t_max, 30);
  EXPECT_EQ(completed({"train.schedule.kind=cosine", "train.schedule.T_max=4"}).t_max, 4);
  const auto one_cycle = completed({"train.schedule.kind=one_cycle", "train.lr=0.5"});
  EXPECT_EQ(one_cycle.total_steps, 210);
  EXPECT_EQ(one_cycle.max_lr, 0.5);
  EXPECT_FALSE(one_cycle.t_max);
  EXPECT_FALSE(completed({}).total_steps);
  EXPECT_THROW(completed({"train.schedule.kind=one_cycle", "train.lr=0"}), InvalidArgument);
  EXPECT_EQ(
      completed({"train.schedule.kind=one_cycle", "train.epochs=9223372036854775807"}).total_steps,
      9223372036854775807 / 7 * 7);
}

TEST(RunConfigTest, MoreEpochsDoNotChangeTheScheduleOfAResumedRun) {
  const auto run = [](std::vector<std::string> overrides) {
    overrides.emplace_back("train.schedule.kind=cosine");
    RunConfig config = parse(kSmallest, std::move(overrides));
    complete_schedule(config, 7);
    return config;
  };
  EXPECT_NO_THROW(expect_same_run(run({}), run({"train.epochs=99", "train.schedule.T_max=30"})));
  try {
    expect_same_run(run({}), run({"train.epochs=99"}));
    ADD_FAILURE();
  } catch (const InvalidArgument& error) {
    EXPECT_STREQ(error.what(),
                 "train.schedule.T_max: expected 30 as in the run to resume, found 99");
  }
}

TEST(RunConfigTest, WrittenFileGivesTheSameConfigBack) {
  std::vector<std::string> texts = {kSmallest, kEveryKey};
  for (const char* keys : kTrainings) {
    texts.push_back(with_training(keys));
  }
  for (const std::string& text : texts) {
    const std::string written = to_toml(parse(text));
    EXPECT_EQ(to_toml(parse(written)), written);
    EXPECT_NO_THROW(expect_same_run(parse(text), parse(written)));
  }
  EXPECT_THAT(to_toml(parse(kEveryKey)), HasSubstr(R"(path = ["a \"quoted\" name.h5", "b.h5"])"));
  // Only what has a meaning.
  EXPECT_THAT(
      to_toml(parse(kSmallest)),
      AllOf(HasSubstr("betas = [0.9, 0.999]\neps = 1e-08\nweight_decay = 0\n"),
            HasSubstr("\n\n[train.schedule]\nkind = \"constant\"\nwarmup_steps = 0\n\n[out")));
}

TEST(RunConfigTest, DocumentationListsEveryKey) {
  std::ifstream file(paths::in_source("docs/run-file.md"));
  std::ostringstream page;
  page << file.rdbuf();
  RunConfig config;
  const auto expect_listed = [&](std::string_view key, const auto&, const auto&) {
    const std::string leaf(key.substr(key.rfind('.') + 1));
    EXPECT_THAT(page.str(), HasSubstr("`" + leaf + "`")) << key;
  };
  visit_keys(config, expect_listed);
}

TEST(RunConfigTest, ResumedRunMayChangeOnlyTheFreeKeys) {
  const RunConfig stored = parse(kEveryKey);
  for (const char* assignment :
       {"train.epochs=99", "train.threads=1", "train.checkpoint_every_steps=1",
        "train.checkpoint_every_minutes=1", "train.early_stopping_patience=3", "output.dir=moved",
        "data.path=moved.h5"}) {
    EXPECT_NO_THROW(expect_same_run(stored, parse(kEveryKey, {assignment}))) << assignment;
  }
  for (const char* assignment :
       {"train.lr=1", "train.seed=2", "train.batch_size=1", "train.shuffle=true",
        "model.hidden_size=1", "model.dropout=0", "train.nesterov=true", "train.accumulate_steps=2",
        "train.schedule.warmup_steps=1", "data.stride=1", "train.optimizer=\"adam\""}) {
    const std::string key = std::string(assignment).substr(0, std::string(assignment).find('='));
    std::vector<std::string> overrides = {assignment};
    if (key == "train.optimizer") {
      overrides.emplace_back("train.momentum=0");
    }
    try {
      expect_same_run(stored, parse(kEveryKey, overrides));
      ADD_FAILURE() << assignment;
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), HasSubstr("as in the run to resume")) << assignment;
    }
  }
}

}  // namespace
}  // namespace quadgate::apps
