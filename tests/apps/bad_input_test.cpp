// Sweeps what users get wrong: each ends with its exit code, one line that names the trouble, and
// every file as it was. No tolerance: text.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <limits>

#include "apps/common/command.h"
#include "io/files/replace_file.h"
#include "io/hdf5/file_writer.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

class BadInputTest : public Workspace {
 protected:
  void expect_refused(const std::vector<std::string>& args, int code,
                      const std::string& part) const {
    SCOPED_TRACE(testing::PrintToString(args));
    const auto before = files();
    expect_error(run(args), code, part);
    EXPECT_EQ(files(), before);
  }

  void expect_data_refused(int code, const std::string& part) const {
    expect_refused({"train", "run.toml", "--set", "data.path=bad.h5", "--quiet"}, code, part);
  }

  /// Writes a data set of 2 sequences of 3 steps and 1 feature; `change` may spoil it before.
  struct Data {
    std::vector<float> x = {1, 2, 3, 4, 5, 6};
    std::vector<std::int64_t> shape = {2, 3, 1};
    std::vector<std::int64_t> labels = {0, 1};
    std::vector<std::string> classes = {"a", "b"};
    std::string format = "quadgate-dataset";
    bool labels_as_float = false;
  };
  void write_data(const Data& data) const {
    auto file = hdf5::FileWriter::create(path("bad.h5"));
    file.write_string("", "format", data.format);
    file.write_int("", "format_version", 1);
    file.write_string("", "task", "classification");
    file.write_strings("", "class_names", data.classes);
    file.create_group("train");
    file.write("train/x", data.shape, data.x);
    const auto rows = static_cast<std::int64_t>(data.labels.size());
    if (data.labels_as_float) {
      const std::vector<float> labels(data.labels.begin(), data.labels.end());
      file.write("train/y", std::span(&rows, 1), labels);
    } else {
      file.write("train/y", std::span(&rows, 1), data.labels);
    }
    replace_file(path("bad.h5"), file.image());
  }
};

TEST_F(BadInputTest, NoTargetThatCounts) {
  write_data({.labels = {-100, -100}});
  expect_error(run({"train", "run.toml", "--set", "data.path=bad.h5", "--quiet"}), kExitFailed,
               "split 'train': expected targets that count");
}

TEST_F(BadInputTest, SeedsOfMoreThan64Bits) {
  for (const char* seed : {"18446744073709551616", "-1", "1.5", "x"}) {
    expect_refused({"generate", "model.h5", "--seed", seed}, kExitWrongUse, seed);
    expect_refused({"prepare", "ts", "a.ts", "-o", "o.h5", "--seed", seed}, kExitWrongUse, seed);
  }
}

TEST_F(BadInputTest, WrongUse) {
  expect_refused({}, kExitWrongUse, "subcommand");
  expect_refused({"tain", "run.toml"}, kExitWrongUse, "tain");
  expect_refused({"train"}, kExitWrongUse, "run_file");
  expect_refused({"train", "run.toml", "--theads", "2"}, kExitWrongUse, "--theads");
  expect_refused({"train", "run.toml", "--threads", "two"}, kExitWrongUse, "two");
  expect_refused({"train", "run.toml", "--threads", "0"}, kExitWrongUse, "--threads");
  expect_refused({"prepare", "npy", "a", "-o", "b"}, kExitWrongUse, "npy");
  expect_refused({"bench", "--seq-len", "3"}, kExitWrongUse, "required");
  const std::vector<std::string> bench = {
      "bench", "--seq-len", "3", "--batch", "1", "--input-size", "1", "--hidden-size", "1"};
  const auto with = [&](const std::string& option, const std::string& value) {
    auto args = bench;
    args.insert(args.end(), {option, value});
    return args;
  };
  for (const char* lengths : {"3", "0:2", "2:1", "1:4", "1:2x", ":", "a:b", "1:"}) {
    expect_refused(with("--lengths", lengths), kExitWrongUse, "LO:HI");
  }
  expect_refused(with("--precision", "f16"), kExitWrongUse, "f16");
  expect_refused(with("--arithmetic", "exact"), kExitWrongUse, "exact");
  expect_refused(with("--num-layers", "0"), kExitWrongUse, "0");
  setenv("QUADGATE_MAX_ISA", "sse9", 1);
  expect_refused({"inspect", "data.h5"}, kExitWrongUse, "QUADGATE_MAX_ISA");
  unsetenv("QUADGATE_MAX_ISA");
}

TEST_F(BadInputTest, NamesTheOptionThatIsUnknown) {
  const auto expect_unknown = [&](const std::vector<std::string>& args, const std::string& named) {
    expect_refused(args, kExitWrongUse, named + " --help lists the known ones)");
  };
  const std::string target = "error: --target: unknown option (quadgate prepare csv";
  expect_unknown({"prepare", "csv", "a.csv", "-o", "a.h5", "--target", "a"}, target);
  expect_unknown({"prepare", "csv", "--target", "a", "a.csv", "-o", "a.h5"}, target);
  expect_unknown({"prepare", "csv", "a.csv", "--target=a"}, target);
  expect_unknown({"train", "run.toml", "--epochs", "3"},
                 "error: --epochs: unknown option (quadgate train");
  expect_unknown({"tag", "run/best.h5", "a.txt", "-u", "b"},
                 "error: -u: unknown option (quadgate tag");
  expect_refused({"prepare", "csv", "a.csv", "b.csv", "-o", "a.h5"}, kExitWrongUse, "input");
}

TEST_F(BadInputTest, Scale) {
  write("old.json", "as it was");
  const auto with = [](std::vector<std::string> rest) {
    std::vector<std::string> args = {
        "scale", "--seq-len", "3", "--batch",   "2", "--input-size", "1", "--hidden-size",
        "1",     "--repeats", "1", "--seconds", "0"};
    args.insert(args.end(), rest.begin(), rest.end());
    return args;
  };
  for (const char* list : {"two", "0", "1,1", "1,,2", "2000"}) {
    expect_refused(with({"-o", "old.json", "--threads", list}), kExitWrongUse,
                   "--threads: expected different numbers from 1 to 1024 such as 1,2,4, found '" +
                       std::string(list) + "'");
  }
  for (const char* list : {"two", "0", "1,1", "", "2000"}) {
    expect_refused(with({"-o", "old.json", "--threads", "1", "--simulate", list}), kExitWrongUse,
                   "--simulate: expected different numbers from 1 to 1024 such as 1,2,4, found '" +
                       std::string(list) + "'");
  }
  expect_refused(with({"-o", "old.json", "--threads", "1", "--simulate", "16", "--mode", "weak"}),
                 kExitWrongUse, "--simulate: expected --mode strong, found weak");
  expect_refused(
      with({"-o", "old.json", "--threads", "1", "--simulate", "16", "--backend", "onednn"}),
      kExitWrongUse, "--simulate: expected the backend native, found onednn");
  expect_refused(with({"-o", "old.json"}), kExitWrongUse, "--threads is required");
  for (const std::vector<std::string>& of_ranks :
       {std::vector<std::string>{"--ranks", "1,2"}, std::vector<std::string>{"--network"}}) {
    auto args = with({"-o", "old.json"});
    args.insert(args.end(), of_ranks.begin(), of_ranks.end());
    expect_refused(args, kExitWrongUse,
                   of_ranks[0] + ": expected several ranks, as mpirun -n 4 quadgate scale");
  }
  expect_refused(with({"--threads", "1"}), kExitWrongUse, "--output is required");
  expect_refused(with({"--threads", "1", "-o", "old.txt"}), kExitWrongUse,
                 ".json or .html, found 'old.txt'");
  expect_refused(with({"--threads", "1", "-o", "none/old.json"}), kExitFailed, "none/old.json");
  expect_refused(with({"--threads", "1", "-o", "old.json", "--mode", "medium"}), kExitWrongUse,
                 "medium not in {strong,weak}");
  expect_refused(with({"--threads", "1", "-o", "old.json", "--lengths", "0:9"}), kExitWrongUse,
                 "LO:HI");
  expect_refused(with({"--threads", "1", "-o", "old.json", "--compare", "torch", "--python", "no"}),
                 kExitFailed, "no: cannot be started");
  expect_refused(
      with({"--threads", "1", "-o", "old.json", "--compare", "torch", "--python", "true"}),
      kExitFailed, "true: ended, or answered with something else");
}

TEST_F(BadInputTest, RunFile) {
  expect_refused({"train", "none.toml"}, kExitFailed, "none.toml");
  expect_refused({"train", "run.toml", "--set", "train.epoch=3"}, kExitWrongUse, "'train.epochs'");
  expect_refused({"train", "run.toml", "--set", "train.lr=-3"}, kExitWrongUse, "train.lr");
  const auto expect_setting_refused = [&](const std::string& setting, const std::string& part) {
    expect_refused({"train", "run.toml", "--set", setting}, kExitWrongUse, part);
  };
  expect_setting_refused("train.schedule.kind=cosin", "train.schedule.kind: expected \"constant\"");
  expect_setting_refused("train.schedule.kind=step", "train.schedule.step_size: expected");
  expect_setting_refused("train.schedule.patience=-1", "train.schedule.patience: expected");
  expect_setting_refused("train.schedule.pct_start=2", "train.schedule.pct_start: expected");
  expect_setting_refused("train.schedule.gama=2", "'train.schedule.gamma'");
  expect_setting_refused("train.early_stopping_patience=-1", "early_stopping_patience: expected");
  expect_setting_refused("train.accumulate_steps=0", "train.accumulate_steps: expected");
  expect_setting_refused("train.optimizer=rmsprob", R"("rmsprop", found "rmsprob")");
  write("broken.toml", "[data\n");
  expect_refused({"train", "broken.toml"}, kExitWrongUse, "broken.toml:1");
  write("unknown.toml", read("run.toml") + "[trian]\nlr = 1\n");
  expect_refused({"train", "unknown.toml"}, kExitWrongUse, "'train.lr'");
  expect_refused({"train", "run.toml", "--set", "data.input_len=3", "--set", "data.horizon=1"},
                 kExitWrongUse, "");
  expect_refused({"train", "run.toml", "--set", "output.dir=."}, kExitWrongUse, "output.dir");
}

TEST_F(BadInputTest, Data) {
  expect_data_refused(kExitFailed, "bad.h5");  // missing
  write("bad.h5", "");
  expect_data_refused(kExitFailed, "bad.h5");
  write("bad.h5", "no HDF5 at all");
  expect_data_refused(kExitFailed, "bad.h5");
  const std::string good = read("data.h5");
  write("bad.h5", good.substr(0, good.size() / 2));
  expect_data_refused(kExitFailed, "bad.h5");
  Data foreign;
  foreign.format = "other-format";
  write_data(foreign);
  expect_data_refused(kExitFailed, "format");
  Data rank;
  rank.shape = {6};
  write_data(rank);
  expect_data_refused(kExitFailed, "train/x");
  Data type;
  type.labels_as_float = true;
  write_data(type);
  expect_data_refused(kExitFailed, "train/y");
  Data empty;
  empty.x = {};
  empty.shape = {0, 3, 1};
  empty.labels = {};
  write_data(empty);
  expect_data_refused(kExitFailed, "train");
}

TEST_F(BadInputTest, WhatNeedsAValidSplit) {
  write_data({});
  for (const char* setting :
       {"train.schedule.kind=reduce_on_plateau", "train.early_stopping_patience=3"}) {
    const std::string key = std::string(setting).substr(0, std::string(setting).find('='));
    expect_refused({"train", "run.toml", "--set", "data.path=bad.h5", "--set", setting},
                   kExitWrongUse, key + ": expected only with a valid split in bad.h5, found ");
  }
}

TEST_F(BadInputTest, ValuesLeaveNoCheckpoint) {
  const auto expect_failed = [&](const std::string& part) {
    expect_error(run({"train", "run.toml", "--set", "data.path=bad.h5", "--quiet"}), kExitFailed,
                 part);
    EXPECT_FALSE(std::filesystem::exists(path("run/checkpoint.h5")));
  };
  Data nan;
  nan.x[4] = std::numeric_limits<float>::quiet_NaN();
  write_data(nan);
  expect_failed("train/x");
  nan.x[4] = std::numeric_limits<float>::infinity();
  write_data(nan);
  expect_failed("train/x");
  Data label;
  label.labels = {0, 2};
  write_data(label);
  expect_failed("train/y");
}

TEST_F(BadInputTest, Losses) {
  const auto expect_set = [&](const std::string& assignment, const std::string& part) {
    expect_refused({"train", "run.toml", "--quiet", "--set", assignment}, kExitWrongUse, part);
  };
  expect_set("train.loss=mse", "loss: expected cross_entropy for classification, found mse");
  expect_set("train.loss=hinge", R"(train.loss: expected "cross_entropy", "mse")");
  expect_set("train.class_weights=[1, 2]",
             "class_weights: expected 3 numbers, one a class, found 2");
  expect_set("train.class_weights=[0, 0, 0]", "class_weights: expected at least one above 0");
  expect_set("train.label_smoothing=1", "train.label_smoothing: expected a number, at least 0");
  expect_set("train.huber_delta=2", "train.huber_delta: expected only with loss \"huber\"");
  expect_set("model.pooling=sum", R"(model.pooling: expected "last", "mean" or "max")");
}

TEST_F(BadInputTest, LossThatIsNotFiniteNamesEpochAndStepAndLeavesTheCheckpoint) {
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=1"}).code, kExitDone);
  const std::vector<std::string> args = {"train",
                                         "run.toml",
                                         "--quiet",
                                         "--set",
                                         "output.dir=diverged",
                                         "--set",
                                         "train.optimizer=sgd",
                                         "--set",
                                         "train.lr=1e39",
                                         "--set",
                                         "model.init=run/best.h5"};
  expect_error(run(args), kExitFailed, "epoch 1, step ");
  EXPECT_FALSE(std::filesystem::exists(path("diverged/checkpoint.h5")));
}

TEST_F(BadInputTest, OutputFolder) {
  expect_refused({"train", "run.toml", "--resume"}, kExitFailed, "nothing to resume");
  write("file", "");
  expect_refused({"train", "run.toml", "--set", "output.dir=file/run"}, kExitFailed, "file/run");
  ASSERT_EQ(run({"train", "run.toml"}).code, kExitDone);
  expect_refused({"train", "run.toml"}, kExitFailed, "already holds a run (checkpoint.h5)");
  expect_refused({"train", "run.toml", "--resume", "--set", "train.lr=1"}, kExitWrongUse,
                 "train.lr");
  expect_refused({"train", "run.toml", "--resume", "--set", "train.schedule.kind=cosine"},
                 kExitWrongUse,
                 "train.schedule.kind: expected \"constant\" as in the run to resume");
  expect_refused({"train", "run.toml", "--resume", "--set", "model.hidden_size=9"}, kExitWrongUse,
                 "model.hidden_size");
}

TEST_F(BadInputTest, ModelAndData) {
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=1"}).code, kExitDone);
  const std::string model = "run/checkpoint.h5";
  const auto evaluate = [](const std::string& checkpoint, const std::string& data) {
    return std::vector<std::string>{"evaluate", checkpoint, "--data", data};
  };
  expect_refused(evaluate("none.h5", "data.h5"), kExitFailed, "none.h5");
  expect_refused(evaluate("data.h5", "data.h5"), kExitFailed, "data.h5");
  expect_refused(evaluate(model, model), kExitFailed, model);
  expect_refused({"evaluate", model, "--data", "data.h5", "--split", "tset"}, kExitWrongUse,
                 "tset");
  write_data({});
  expect_refused(evaluate(model, "bad.h5"), kExitFailed, "features: the model expects 3");
  Data classes;
  classes.x.resize(18);
  classes.shape = {2, 3, 3};
  write_data(classes);
  expect_refused(evaluate(model, "bad.h5"), kExitFailed, "classes: the model expects 3 (zero");
  expect_refused({"predict", model, "--data", "data.h5", "-o", "out.txt"}, kExitWrongUse, ".csv");
  expect_refused({"predict", model, "--data", "data.h5", "-o", "none/out.csv"}, kExitFailed,
                 "none/out.csv");
  expect_refused({"inspect", "run.toml"}, kExitFailed, "run.toml");
  expect_refused({"inspect", "none.h5"}, kExitFailed, "none.h5");
  expect_refused({"train", "run.toml", "--set", "output.dir=next", "--set",
                  "model.init=run/best.h5", "--set", "model.hidden_size=9"},
                 kExitFailed, "rnn.weight_ih_l0");
}

TEST_F(BadInputTest, FullDiskLeavesEveryFileWhole) {
  constexpr rlim_t kTiny = 2000;
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=1"}).code, kExitDone);
  auto before = files();
  constexpr const char* kReason = "File too large";
  expect_error(run({"train", "run.toml", "--resume", "--quiet"}, kTiny), kExitFailed, kReason);
  auto after = files();
  before.erase("run/run.toml");  // tells of the epochs that the resumed run goes for
  after.erase("run/run.toml");
  // May tell of the epoch whose checkpoint was still being written: resuming takes that out again.
  EXPECT_THAT(after["run/metrics.jsonl"], testing::StartsWith(before["run/metrics.jsonl"]));
  before.erase("run/metrics.jsonl");
  after.erase("run/metrics.jsonl");
  EXPECT_EQ(after, before);

  std::string csv = "level\n";
  for (int t = 0; t < 1000; ++t) {
    csv += std::to_string(t % 10) + "\n";
  }
  write("series.csv", csv);
  before = files();
  expect_error(run({"prepare", "csv", "series.csv", "-o", "data.h5"}, kTiny), kExitFailed, kReason);
  expect_error(run({"predict", "run/checkpoint.h5", "--data", "data.h5", "-o", "out.h5"}, kTiny),
               kExitFailed, kReason);
  EXPECT_EQ(files(), before);
}

TEST_F(BadInputTest, PrepareLeavesTheOldDataSet) {
  const std::string good = "@classLabel true a b\n@data\n1,2:3,4:a\n1,2:3,5:b\n";
  write("bad.ts", good + "1,x:3,4:a\n");
  expect_refused({"prepare", "ts", "bad.ts", "-o", "data.h5"}, kExitFailed, "bad.ts:5");
  write("good.ts", good);
  expect_refused({"prepare", "ts", "good.ts", "-o", "data.h5", "--valid-fraction", "1.5"},
                 kExitWrongUse, "valid");
  expect_refused({"prepare", "ts", "none.ts", "-o", "data.h5"}, kExitFailed, "none.ts");
  expect_refused({"prepare", "idx", "good.ts", "good.ts", "-o", "data.h5"}, kExitFailed, "good.ts");
  expect_refused({"prepare", "idx", "good.ts", "-o", "data.h5"}, kExitWrongUse, "");
}

}  // namespace
}  // namespace quadgate::apps
