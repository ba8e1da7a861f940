// Sweeps the subcommands as a user runs them, and a run that is stopped and resumed, on 1 and 2
// threads. No tolerance: a resumed run has the same bits as one that never stopped.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "io/hdf5/file.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

std::vector<json> json_lines(const std::string& text) {
  std::vector<json> records;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    records.push_back(json::parse(line));
  }
  return records;
}

class CliTest : public Workspace {
 protected:
  /// All weights and the optimizer's state.
  std::map<std::string, std::vector<float>> tensors(const std::string& name) const {
    std::map<std::string, std::vector<float>> all;
    const auto file = hdf5::File::open(path(name));
    for (const std::string group :
         {"state_dict", "optimizer/exp_avg", "optimizer/exp_avg_sq", "optimizer/square_avg",
          "optimizer/grad_avg", "optimizer/momentum_buffer"}) {
      for (const auto& member :
           file.has(group) ? file.members(group) : std::vector<std::string>{}) {
        const auto array = file.array(group + "/" + member);
        auto& values = all[array.name()];
        values.resize(static_cast<std::size_t>(array.size()));
        array.read(0, array.shape().front(), values);
      }
    }
    return all;
  }

  /// The metrics of a run without what depends on the clock.
  std::vector<json> metrics(const std::string& folder) const {
    std::vector<json> records = json_lines(read(folder + "/metrics.jsonl"));
    for (json& record : records) {
      record.erase("seconds");
      record.erase("data_wait_seconds");
      record.erase("sequences_per_second");
      record.erase("checkpoint_seconds");
    }
    return records;
  }

  void expect_same_training(const std::string& folder, const std::string& reference) const {
    EXPECT_EQ(tensors(folder + "/checkpoint.h5"), tensors(reference + "/checkpoint.h5"));
    EXPECT_EQ(tensors(folder + "/best.h5"), tensors(reference + "/best.h5"));
    EXPECT_EQ(metrics(folder), metrics(reference));
  }
};

// quadgate starts itself to read HDF5 files.
TEST_F(CliTest, KeepsItsReaderToItself) {
  expect_error(run({"read-hdf5"}), kExitWrongUse, "read-hdf5: quadgate starts it itself");
  expect_error(run({"read-hdf5", "data.h5"}), kExitWrongUse, "quadgate starts it itself");
  EXPECT_THAT(run({"--help"}).out, testing::Not(HasSubstr("read-hdf5")));
}

TEST_F(CliTest, TrainsEvaluatesPredictsInspects) {
  const Outcome trained = run({"train", "run.toml", "--json"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_THAT(
      trained.err,
      AllOf(HasSubstr("data.h5: 80 train, 10 valid, 20 test sequences"),
            ContainsRegex(" parameters; [0-9]+ threads, (native|onednn), [a-z0-9_]+, about "),
            HasSubstr("\nepoch 3/3  loss "),
            ContainsRegex("\ncheckpoint: run/checkpoint.h5; best.h5 is of epoch [123]\n$")));
  EXPECT_EQ(trained.out, read("run/metrics.jsonl"));
  const auto epochs = json_lines(trained.out);
  ASSERT_EQ(epochs.size(), 3);
  EXPECT_EQ(epochs[2]["epoch"], 3);
  EXPECT_EQ(epochs[2]["step"], 15);
  EXPECT_LT(epochs[2]["train_loss"], epochs[0]["train_loss"]);
  for (const char* key :
       {"train_accuracy", "valid_loss", "valid_accuracy", "seconds", "data_wait_seconds",
        "sequences_per_second", "checkpoint_seconds", "lr"}) {
    EXPECT_TRUE(epochs[0].contains(key)) << key;
  }

  const Outcome valid =
      run({"evaluate", "run/checkpoint.h5", "--data", "data.h5", "--split", "valid", "--json"});
  const json evaluated = json::parse(valid.out);
  EXPECT_EQ(evaluated["accuracy"], epochs[2]["valid_accuracy"]);
  EXPECT_NEAR(evaluated["loss"], epochs[2]["valid_loss"], 1e-6);
  EXPECT_EQ(evaluated["count"], 10);
  EXPECT_EQ(evaluated["split"], "valid");

  const Outcome predicted = run({"predict", "run/best.h5", "--data", "data.h5", "-o", "out.csv"});
  EXPECT_EQ(predicted.code, kExitDone) << predicted.err;
  const std::string csv = read("out.csv");
  EXPECT_THAT(csv, AllOf(StartsWith("row,predicted,probability,label\n0,"),
                         HasSubstr("\"one, or \"\"1\"\"\"\n")));
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), kTestSize + 1);
  EXPECT_EQ(run({"predict", "run/best.h5", "--data", "data.h5", "-o", "out.h5"}).code, kExitDone);
  const auto file = hdf5::File::open(path("out.h5"));
  EXPECT_EQ(file.array("logits").shape(), (std::vector<std::int64_t>{kTestSize, 3}));
  EXPECT_EQ(file.array("predicted").size(), kTestSize);

  EXPECT_THAT(
      run({"inspect", "data.h5"}).out,
      AllOf(HasSubstr("train: 80 sequences of 5 to 9 steps, median "),
            testing::ContainsRegex(
                "padding at batch 32: [12].\\.. % of steps, [0-9].\\.. % with bucket_by_length"),
            HasSubstr("standardized: yes"), HasSubstr("x: contiguous")));
  EXPECT_THAT(run({"inspect", "run/checkpoint.h5"}).out,
              AllOf(HasSubstr("rnn.weight_hh_l1 "), HasSubstr("[32, 8]"),
                    HasSubstr("3 epochs and 0 batches done, 15 steps")));
  EXPECT_THAT(run({"inspect", "run/best.h5"}).out,
              AllOf(ContainsRegex("\nthe best of its run, of epoch [123]\n"),
                    HasSubstr("training state: none")));
}

TEST_F(CliTest, ForecastIsInOriginalUnits) {
  std::string csv = "date,level,flow\n";
  for (int t = 0; t < 200; ++t) {
    csv += "2020-01-01," + std::to_string(100 + t % 7) + "," + std::to_string(-5 * (t % 5)) + "\n";
  }
  write("series.csv", csv);
  const Outcome prepared = run({"prepare", "csv", "series.csv", "-o", "series.h5",
                                "--test-fraction", "0.2", "--standardize"});
  EXPECT_THAT(prepared.out,
              HasSubstr("wrote series.h5: 160 train, 0 valid, 40 test rows, standardized\n"));
  const Outcome trained =
      run({"train", "run.toml", "--quiet", "--set", "data.path=series.h5", "--set",
           "data.input_len=12", "--set", "data.horizon=2", "--set", "data.targets=[\"level\"]"});
  EXPECT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_EQ(trained.err + trained.out, "");
  EXPECT_FALSE(std::filesystem::exists(path("run/best.h5")));  // there is no valid split

  const json evaluated =
      json::parse(run({"evaluate", "run/checkpoint.h5", "--data", "series.h5", "--json"}).out);
  EXPECT_EQ(evaluated["loss"], evaluated["mse"]);
  // The level runs through 100 to 106 over and over: its variance over the train rows is near 4.
  EXPECT_NEAR(evaluated["mse_raw"].get<double>() / evaluated["mse"].get<double>(), 4, 0.1);
  EXPECT_NEAR(evaluated["mae_raw"].get<double>() / evaluated["mae"].get<double>(), 2, 0.05);
  const std::vector<std::string> predict{"predict", "run/checkpoint.h5", "--data", "series.h5"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), predict.begin(), predict.end());
    return more;
  };
  EXPECT_EQ(run(with({"-o", "out.csv"})).code, 0);
  EXPECT_THAT(read("out.csv"), HasSubstr("\n,200,level,1,10"));
  EXPECT_EQ(run(with({"--split", "test", "-o", "out.csv"})).code, 0);
  EXPECT_THAT(read("out.csv"), AllOf(StartsWith("row,level+1,level+2\n0,10"), HasSubstr("\n5,10")));
  EXPECT_THAT(run({"inspect", "series.h5"}).out, HasSubstr("test: rows 160 to 200 of a series"));
  EXPECT_THAT(run({"inspect", "run/checkpoint.h5"}).out,
              HasSubstr("window: 12 rows in, the next 2 out, stride 1, targets 1 (level)"));
}

TEST_F(CliTest, StoppedAndResumedIsTheSameAsNeverStopped) {
  const std::vector<std::string> args = {"train", "run.toml", "--set", "train.epochs=60"};
  auto reference = args;
  reference.insert(reference.end(), {"--set", "output.dir=reference", "--threads", "1"});
  ASSERT_EQ(run(reference).code, kExitDone);

  const auto started = [&] { return !read("run/metrics.jsonl").empty(); };
  const Outcome stopped = interrupt(args, SIGINT, started);
  ASSERT_EQ(stopped.code, kExitStopped) << stopped.err;
  EXPECT_THAT(stopped.err, AllOf(HasSubstr("stopped by a signal in epoch "),
                                 EndsWith("saved run/checkpoint.h5; go on with --resume\n")));
  auto resume = args;
  resume.emplace_back("--resume");
  const std::size_t done = metrics("run").size();
  const auto further = [&] { return metrics("run").size() > done; };
  ASSERT_EQ(interrupt(resume, SIGTERM, further).code, kExitStopped);
  const Outcome resumed = run(resume);
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  expect_same_training("run", "reference");
}

/// The settings of a run with a schedule.
struct Scheduled {
  const char* name;
  std::vector<std::string> settings;
};

class ScheduledRunTest : public CliTest, public testing::WithParamInterface<Scheduled> {
 protected:
  static std::vector<std::string> train_into(const std::string& folder) {
    std::vector<std::string> args = {"train", "run.toml"};
    for (const std::string& setting : GetParam().settings) {
      args.insert(args.end(), {"--set", setting});
    }
    args.insert(args.end(), {"--set", "train.epochs=60", "--set", "output.dir=" + folder});
    return args;
  }
};

TEST_P(ScheduledRunTest, ResumesToTheSameBits) {
  ASSERT_EQ(run(train_into("reference")).code, kExitDone);
  const auto started = [&] { return !read("run/metrics.jsonl").empty(); };
  const Outcome stopped = interrupt(train_into("run"), SIGINT, started);
  ASSERT_EQ(stopped.code, kExitStopped) << stopped.err;
  auto resume = train_into("run");
  resume.emplace_back("--resume");
  const std::size_t done = metrics("run").size();
  const auto further = [&] { return metrics("run").size() > done + 2; };
  ASSERT_EQ(interrupt(resume, SIGTERM, further).code, kExitStopped);
  const Outcome resumed = run(resume);
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  expect_same_training("run", "reference");
  EXPECT_NE(metrics("run").front()["lr"], metrics("run").back()["lr"]);
}

INSTANTIATE_TEST_SUITE_P(
    Schedules, ScheduledRunTest,
    testing::Values(Scheduled{"plateau",
                              {"train.optimizer=rmsprop", "train.momentum=0.5",
                               "train.centered=true", "train.schedule.kind=reduce_on_plateau",
                               "train.schedule.patience=2", "train.schedule.threshold=0.9",
                               "train.schedule.factor=0.7", "train.schedule.warmup_steps=4"}},
                    Scheduled{"one_cycle",
                              {"train.optimizer=adamw", "train.schedule.kind=one_cycle",
                               "train.accumulate_steps=2"}},
                    Scheduled{"cosine",
                              {"train.optimizer=sgd", "train.momentum=0.9", "train.nesterov=true",
                               "train.schedule.kind=cosine", "train.accumulate_steps=3"}},
                    Scheduled{"step", {"train.schedule.kind=step", "train.schedule.step_size=2"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(CliTest, AccumulationMakesFewerSteps) {
  // 80 sequences make 5 batches: an update of 3 and one of 2 an epoch.
  const Outcome trained = run({"train", "run.toml", "--json", "--set", "train.accumulate_steps=3"});
  ASSERT_EQ(trained.code, kExitDone) << trained.err;
  EXPECT_EQ(json_lines(trained.out)[2]["step"], 6);
  EXPECT_THAT(read("run/run.toml"), HasSubstr("accumulate_steps = 3\n"));
}

TEST_F(CliTest, StopsEarlyAndGoesOnWithMorePatience) {
  // With lr 0 no epoch is better than the first.
  const std::vector<std::string> args = {"train",          "run.toml", "--set",
                                         "train.epochs=9", "--set",    "train.lr=0"};
  const auto with = [&](const std::vector<std::string>& rest) {
    auto all = args;
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  };
  const Outcome stopped = run(with({"--set", "train.early_stopping_patience=2"}));
  EXPECT_EQ(stopped.code, kExitDone) << stopped.err;
  EXPECT_EQ(metrics("run").size(), 3);
  EXPECT_THAT(stopped.err,
              testing::ContainsRegex("\nstopped early after epoch 3: no better valid loss than "
                                     "[0-9.]+ in 2 epochs\n"));
  const auto files_before = files();
  const Outcome again = run(with({"--set", "train.early_stopping_patience=2", "--resume"}));
  EXPECT_EQ(again.code, kExitDone);
  EXPECT_THAT(again.err, HasSubstr("stopped early after epoch 3"));
  EXPECT_EQ(files(), files_before);
  ASSERT_EQ(run(with({"--set", "train.early_stopping_patience=4", "--resume"})).code, kExitDone);
  EXPECT_EQ(metrics("run").size(), 5);
  ASSERT_EQ(
      run(with({"--set", "train.early_stopping_patience=4", "--set", "output.dir=reference"})).code,
      kExitDone);
  expect_same_training("run", "reference");
}

TEST_F(CliTest, KilledInTheMiddleOfAnEpochGoesOnFromThere) {
  ASSERT_EQ(run({"train", "run.toml", "--set", "output.dir=reference"}).code, kExitDone);
  const std::vector<std::string> args = {"train", "run.toml", "--set",
                                         "train.checkpoint_every_steps=2"};
  // Exactly which checkpoint it dies after does not matter.
  interrupt(args, SIGKILL, [&] { return std::filesystem::exists(path("run/checkpoint.h5")); });
  // A line without a checkpoint, and half a line, as a crash may leave them.
  write("run/metrics.jsonl", read("run/metrics.jsonl") + "{\"epoch\":3,\"step\":99}\n{\"epo");
  auto resume = args;
  resume.emplace_back("--resume");
  const Outcome resumed = run(resume);
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  expect_same_training("run", "reference");
}

TEST_F(CliTest, DamagedCheckpointGivesWayToTheOneBefore) {
  ASSERT_EQ(run({"train", "run.toml", "--set", "output.dir=reference"}).code, kExitDone);
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=2"}).code, kExitDone);
  std::string bytes = read("run/checkpoint.h5");
  write("run/checkpoint.h5", bytes.substr(0, bytes.size() / 2));
  const Outcome resumed = run({"train", "run.toml", "--resume", "--quiet"});
  ASSERT_EQ(resumed.code, kExitDone) << resumed.err;
  EXPECT_THAT(resumed.err, AllOf(StartsWith("quadgate: warning: run/checkpoint.h5"),
                                 EndsWith("the one before it, run/checkpoint.prev.h5\n")));
  expect_same_training("run", "reference");
}

TEST_F(CliTest, ResumingAFinishedRunTrainsLonger) {
  ASSERT_EQ(run({"train", "run.toml", "--set", "output.dir=reference"}).code, kExitDone);
  ASSERT_EQ(run({"train", "run.toml", "--set", "train.epochs=1"}).code, kExitDone);
  const auto files_before = files();
  EXPECT_EQ(run({"train", "run.toml", "--set", "train.epochs=1", "--resume"}).code, kExitDone);
  EXPECT_EQ(files(), files_before);
  ASSERT_EQ(run({"train", "run.toml", "--resume"}).code, kExitDone);
  expect_same_training("run", "reference");
}

TEST_F(CliTest, StartsFromGivenWeights) {
  // Plain SGD has no state, so the second epoch is the first one from the first one's weights.
  const auto train = [&](const std::string& folder, const std::vector<std::string>& settings) {
    std::vector<std::string> args = {"train", "run.toml", "--quiet"};
    for (const char* setting :
         {"train.optimizer=sgd", "train.shuffle=false", "model.dropout=0", "train.lr=0.5"}) {
      args.insert(args.end(), {"--set", setting});
    }
    for (const std::string& setting : settings) {
      args.insert(args.end(), {"--set", setting});
    }
    args.insert(args.end(), {"--set", "output.dir=" + folder});
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
  };
  train("both", {"train.epochs=2"});
  train("first", {"train.epochs=1"});
  train("second", {"train.epochs=1", "model.init=first/checkpoint.h5"});
  EXPECT_EQ(tensors("second/checkpoint.h5"), tensors("both/checkpoint.h5"));
  const json expected = metrics("both").at(1);
  const json found = metrics("second").at(0);
  for (const char* key : {"train_loss", "train_accuracy", "valid_loss", "valid_accuracy"}) {
    EXPECT_EQ(found[key], expected[key]) << key;
  }
}

TEST_F(CliTest, HelpIsNoError) {
  for (const auto& args : std::vector<std::vector<std::string>>{{"--help"},
                                                                {"train", "--help"},
                                                                {"prepare", "idx", "--help"},
                                                                {"bench", "--help"},
                                                                {"scale", "--help"}}) {
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, kExitDone);
    EXPECT_THAT(outcome.out, HasSubstr("Usage: "));
    EXPECT_EQ(outcome.err, "");
  }
}

TEST_F(CliTest, TellsItsVersion) {
  const Outcome outcome = run({"--version"});
  EXPECT_EQ(outcome.code, kExitDone);
  EXPECT_THAT(outcome.out, testing::MatchesRegex("quadgate [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  EXPECT_EQ(outcome.err, "");
}

}  // namespace
}  // namespace quadgate::apps
