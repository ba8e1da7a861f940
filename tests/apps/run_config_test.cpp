// Sweeps the keys of a run file: unknown, missing, of another type, out of range, set from outside,
// written back, and compared for resuming. No tolerance: nothing is rounded.

#include "apps/run_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/error.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kSmallest = R"(
[data]
path = "vowels.h5"
[model]
hidden_size = 64
[train]
epochs = 30
[output]
dir = "runs/vowels"
)";

constexpr const char* kEveryKey = R"(
[data]
path = "a \"quoted\" name.h5"
input_len = 96
horizon = 24
stride = 2
targets = ["OT", "HU,FL"]
[model]
cell = "rnn_tanh"
embedding_size = 48
padding_index = 0
hidden_size = 64
num_layers = 2
bidirectional = true
dropout = 0.1
proj_size = 7
init = "start.h5"
precision = "f32"
pooling = "last"
[train]
epochs = 30
batch_size = 20
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

RunConfig parse(std::string_view text, std::vector<std::string> overrides = {}) {
  return parse_run_config(text, "run.toml", overrides);
}

/// The message of the InvalidArgument that parsing throws.
std::string error_of(std::string_view text, std::vector<std::string> overrides = {}) {
  try {
    parse(text, std::move(overrides));
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

std::string error_of_set(const std::string& assignment) {
  return error_of(kSmallest, {assignment});
}

TEST(RunConfigTest, SmallestFileHasDefaults) {
  const RunConfig config = parse(kSmallest);
  EXPECT_EQ(config.data.path, "vowels.h5");
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
  EXPECT_EQ(config.data.path, "a \"quoted\" name.h5");
  EXPECT_EQ(config.window(), (Window{96, 24, 2, {"OT", "HU,FL"}}));
  EXPECT_EQ(config.model.embedding_size, 48);
  EXPECT_EQ(config.model.padding_index, 0);
  EXPECT_EQ(config.model.num_layers, 2);
  EXPECT_TRUE(config.model.bidirectional);
  EXPECT_EQ(config.model.dropout, 0.1);
  EXPECT_EQ(config.model.init, "start.h5");
  EXPECT_EQ(config.train.batch_size, 20);
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

TEST(RunConfigTest, WrittenFileGivesTheSameConfigBack) {
  for (const char* text : {kSmallest, kEveryKey}) {
    const std::string written = to_toml(parse(text));
    EXPECT_EQ(to_toml(parse(written)), written);
    EXPECT_NO_THROW(expect_same_run(parse(text), parse(written)));
  }
  EXPECT_THAT(to_toml(parse(kEveryKey)), HasSubstr(R"(path = "a \"quoted\" name.h5")"));
}

TEST(RunConfigTest, UnknownKeyNamesTheNearest) {
  const auto with = [](const std::string& line) { return std::string(kSmallest) + line; };
  EXPECT_THAT(error_of(with("[model2]\nhiden_size = 3\n")),
              AllOf(StartsWith("run.toml: unknown key 'model2.hiden_size'"),
                    HasSubstr("'model.hidden_size'")));
  EXPECT_EQ(error_of(with("dri = \"x\"\n")),
            "run.toml: unknown key 'output.dri', the nearest known one is 'output.dir'");
  EXPECT_THAT(error_of(with("lr = 1\n")), HasSubstr("'train.lr'"));
  EXPECT_THAT(error_of("epochs = 3\n"), HasSubstr("'epochs', the nearest known one is 'train.ep"));
  EXPECT_THAT(error_of(with("[tain]\n")), HasSubstr("unknown key 'tain'"));
  EXPECT_THAT(error_of(with("[output.dir2]\na.b = 1\n")), HasSubstr("'output.dir2.a.b'"));
  EXPECT_THAT(error_of("[[train]]\nlr = 1\n"), HasSubstr("unknown key 'train'"));
}

TEST(RunConfigTest, MissingKeysAreNamed) {
  for (const std::string key : {"path", "hidden_size", "epochs", "dir"}) {
    std::string text = kSmallest;
    text.insert(text.find(key + " ="), "#");
    EXPECT_THAT(error_of(text), AllOf(HasSubstr("." + key + ": expected"), HasSubstr("no such")));
  }
}

TEST(RunConfigTest, TypesAndRangesAreNamed) {
  EXPECT_EQ(error_of_set("train.lr=-1"),
            "--set: train.lr: expected a finite number, at least 0, found -1");
  EXPECT_THAT(error_of_set("train.lr=fast"), HasSubstr("found \"fast\""));
  for (const char* assignment : {"train.lr=nan",
                                 "train.lr=inf",
                                 "train.lr=[1]",
                                 "train.lr=true",
                                 "model.hidden_size=0",
                                 "model.hidden_size=1.5",
                                 "model.hidden_size=\"3\"",
                                 "model.num_layers=-1",
                                 "model.dropout=1",
                                 "model.dropout=-0.1",
                                 "model.bidirectional=1",
                                 "train.epochs=0",
                                 "train.batch_size=0",
                                 "train.clip_norm=0",
                                 "train.seed=-1",
                                 "train.threads=0",
                                 "train.threads=1025",
                                 "train.shuffle=\"no\"",
                                 "train.optimizer=adagrad",
                                 "train.checkpoint_every_steps=0",
                                 "train.checkpoint_every_minutes=0",
                                 "data.targets=[]",
                                 "data.targets=[1]",
                                 "data.targets=OT",
                                 "data.path=",
                                 "output.dir=\"\"",
                                 "model.cell=GRU",
                                 "model.cell=3",
                                 "model.proj_size=-1",
                                 "train.momentum=0.5"}) {
    const std::string key = std::string(assignment).substr(0, std::string(assignment).find('='));
    EXPECT_THAT(error_of_set(assignment), StartsWith("--set: " + key + ": expected")) << assignment;
  }
  EXPECT_THAT(error_of(std::string(kSmallest) + "[data2]\n[train.lr]\n"), HasSubstr("unknown"));
}

TEST(RunConfigTest, LaterVersionsValuesAreNamed) {
  EXPECT_EQ(error_of_set("model.pooling=mean"),
            "--set: model.pooling: this version trains \"last\", found \"mean\"");
  EXPECT_EQ(parse(kSmallest, {"model.precision=bf16"}).model.precision, Precision::bf16);
  EXPECT_EQ(error_of_set("model.precision=f16"),
            "--set: model.precision: expected \"f32\" or \"bf16\", found \"f16\"");
}

TEST(RunConfigTest, SetTakesTomlElseAString) {
  EXPECT_EQ(parse(kSmallest, {"train.lr=2"}).train.optimizer.lr, 2);
  EXPECT_EQ(parse(kSmallest, {"train.lr=1", "train.lr=3"}).train.optimizer.lr, 3);
  EXPECT_EQ(parse(kSmallest, {"output.dir=runs/x"}).output_dir, "runs/x");
  EXPECT_EQ(parse(kSmallest, {"output.dir=\"runs/x\""}).output_dir, "runs/x");
  EXPECT_EQ(parse(kSmallest, {"output.dir=2024"}).output_dir, "2024");
  EXPECT_EQ(parse(kSmallest, {"output.dir=a=b"}).output_dir, "a=b");
  EXPECT_EQ(parse(kSmallest, {"data.targets=[\"OT\"]"}).data.targets,
            std::vector<std::string>{"OT"});
  EXPECT_EQ(parse("", {"data.path=a", "model.hidden_size=1", "train.epochs=1", "output.dir=b"})
                .model.hidden_size,
            1);
  EXPECT_THAT(error_of_set("train.lr"), HasSubstr("expected KEY=VALUE, found 'train.lr'"));
  EXPECT_THAT(error_of_set("train.lrr=1"),
              AllOf(StartsWith("--set: unknown key"), HasSubstr("'train.lr'")));
}

TEST(RunConfigTest, BrokenTomlNamesFileAndLine) {
  EXPECT_THAT(error_of("[data]\npath = \n"), StartsWith("run.toml:2: expected TOML"));
  EXPECT_THROW(read_run_config("no/such/run.toml"), FileError);
  EXPECT_THROW(read_run_config("."), FileError);
}

TEST(RunConfigTest, WindowNeedsBothLengths) {
  EXPECT_THROW(parse(kSmallest, {"data.stride=2"}).window(), InvalidArgument);
  EXPECT_THROW(parse(kSmallest, {"data.input_len=2"}).window(), InvalidArgument);
  EXPECT_EQ(parse(kSmallest, {"data.input_len=2", "data.horizon=1"}).window(),
            (Window{2, 1, 1, {}}));
}

TEST(RunConfigTest, ResumedRunMayChangeOnlyTheFreeKeys) {
  const RunConfig stored = parse(kEveryKey);
  for (const char* assignment :
       {"train.epochs=99", "train.threads=1", "train.checkpoint_every_steps=1",
        "train.checkpoint_every_minutes=1", "output.dir=moved", "data.path=moved.h5"}) {
    EXPECT_NO_THROW(expect_same_run(stored, parse(kEveryKey, {assignment}))) << assignment;
  }
  for (const char* assignment :
       {"train.lr=1", "train.seed=2", "train.batch_size=1", "train.shuffle=true",
        "model.hidden_size=1", "model.dropout=0", "data.stride=1", "train.optimizer=\"adam\""}) {
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
