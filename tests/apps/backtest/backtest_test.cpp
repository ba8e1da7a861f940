// Sweeps the options and folders that backtest refuses, runs that are stopped at moments over their
// whole length and go on, and numbers of jobs. Tolerance: none. tests/torch/backtest_test.py
// compares rows and numbers with scikit-learn.

#include "apps/backtest/backtest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <thread>
#include <vector>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class BacktestTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    std::string table = "a,b\n";
    for (int row = 0; row < 120; ++row) {
      table += std::to_string(row % 7) + "." + std::to_string(row % 10) + "," +
               std::to_string(row) + "\n";
    }
    write("series.csv", table);
    ASSERT_EQ(run({"prepare", "csv", "series.csv", "-o", "series.h5", "--standardize"}).code,
              kExitDone);
  }

  static std::vector<std::string> words(const std::vector<std::string>& more) {
    std::vector<std::string> words = {"backtest", "run.toml"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  static std::vector<std::string> series(const std::vector<std::string>& more) {
    std::vector<std::string> all = words(
        {"--set", "data.path=series.h5", "--set", "data.input_len=12", "--set", "data.horizon=3"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_refused(const std::vector<std::string>& words, const std::string& part,
                      int code = kExitWrongUse) const {
    expect_error(run(words), code, part);
    EXPECT_FALSE(std::filesystem::exists(path("run"))) << part;
  }
};

TEST_F(BacktestTest, WhatCannotBeDividedIsRefusedBeforeAnyTraining) {
  expect_refused(words({"--folds", "1"}), "--folds: expected 2 to 10000, found 1");
  expect_refused(words({"--folds", "111"}), "--folds: expected 2 to 110, the rows of data.h5");
  expect_refused(words({"--folds", "40"}), "' has 36 rows: expected at least as many as --folds",
                 kExitFailed);
  expect_refused(words({"--gap", "3"}), "--gap: expected only for series");
  expect_refused(words({"--sliding"}), "--sliding: expected only for series");
  expect_refused(words({"--seed", "1", "--no-shuffle"}), "--seed: expected none beside");
  expect_refused(words({"--set", "model.normalize=last"}), "model.normalize");
  expect_refused(words({"--set", "train.monitor=f2"}), "train.monitor: expected");
  expect_refused(series({"--seed", "1"}), "--seed: expected none beside series");
  expect_refused(series({"--no-shuffle"}), "--no-shuffle: expected none beside series");
  expect_refused(series({"--folds", "40"}), "--folds: expected at least 3 rows to test a fold on");
  expect_refused(series({"--test-size", "2"}), "--test-size: expected at least 3 rows");
  expect_refused(series({"--test-size", "24"}), "series.h5: expected more rows than 5 folds of 24",
                 kExitFailed);
  expect_refused(series({"--gap", "20"}), "expected more rows than 5 folds of 20", kExitFailed);
  expect_refused(series({"--test-size", "22"}),
                 "series.h5: fold 0: its train part has 10 rows, too few for a window of "
                 "data.input_len 12",
                 kExitFailed);
  expect_refused(series({"--sliding", "--max-train-size", "20"}), "--max-train-size");
  expect_refused(series({"--jobs", "0"}), "--jobs: expected 1 to 1024, found 0");
}

TEST_F(BacktestTest, WhatFoldsWouldKnowOfTheirTestIsRefused) {
  write("gaps.csv", "a\n1\n\n" + std::string("2\n3\nNA\n4\n5\n6\n7\n8\n9\n1\n2\n3\n"));
  ASSERT_EQ(run({"prepare", "csv", "gaps.csv", "-o", "gaps.h5", "--missing", "mean"}).code,
            kExitDone);
  expect_refused({"backtest", "run.toml", "--set", "data.path=gaps.h5", "--set", "data.input_len=1",
                  "--set", "data.horizon=1", "--folds", "2"},
                 "gaps.h5: its missing values became means of its train split", kExitFailed);
}

TEST_F(BacktestTest, ATextAndSeveralRanksAreRefused) {
  write("text.txt", "so it goes and so it went, and so on.\n");
  ASSERT_EQ(run({"prepare", "text", "text.txt", "-o", "text.h5"}).code, kExitDone);
  expect_refused(words({"--set", "data.path=text.h5", "--set", "model.embedding_size=4"}),
                 "text.h5: expected series or sequences to divide into folds, found a text",
                 kExitFailed);
  ASSERT_EQ(setenv("OMPI_COMM_WORLD_SIZE", "2", 1), 0);
  ASSERT_EQ(setenv("OMPI_COMM_WORLD_RANK", "0", 1), 0);
  expect_refused(words({}), "expected one process, which runs its folds side by side (--jobs)");
  unsetenv("OMPI_COMM_WORLD_SIZE");
  unsetenv("OMPI_COMM_WORLD_RANK");
}

TEST_F(BacktestTest, CompleteFoldsAreSkippedAndOtherRunsRefused) {
  const Outcome first = run(words({"--folds", "3", "--quiet"}));
  ASSERT_EQ(first.code, kExitDone) << first.err;
  EXPECT_THAT(first.out, HasSubstr("fold-2"));
  EXPECT_THAT(first.err, IsEmpty());
  std::filesystem::remove(path("run/fold-1/test.json"));
  const auto before = files();
  const Outcome second = run(words({"--folds", "3", "--jobs", "1", "--threads", "2"}));
  EXPECT_EQ(second.code, kExitDone) << second.err;
  EXPECT_EQ(second.out, first.out);
  EXPECT_THAT(second.err, HasSubstr("2 of them done before"));
  EXPECT_THAT(second.err, Not(HasSubstr("fold-0")));
  const auto after = files();
  for (const char* name : {"run/fold-0/checkpoint.h5", "run/fold-1/checkpoint.h5",
                           "run/backtest.json", "run/backtest.csv"}) {
    EXPECT_EQ(after.at(name), before.at(name)) << name;
  }
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    std::vector<std::string> all = words(more);
    expect_error(run(all), kExitFailed, part);
  };
  refused({"--folds", "4"}, "run: holds another backtest (its folds have other rows)");
  refused({"--folds", "3", "--seed", "2"}, "its folds have other rows");
  refused(
      {"--folds", "3", "--set", "train.lr=0.5"},
      "run: holds another backtest (run file: expected 'lr = 0.01' in [train], found 'lr = 0.5')");
  EXPECT_EQ(files(), after);
}

TEST_F(BacktestTest, AFoldersRunIsNotReplaced) {
  ASSERT_EQ(run({"train", "run.toml", "--quiet"}).code, kExitDone);
  const auto before = files();
  expect_error(run(words({})), kExitFailed, "run: already holds a run (checkpoint.h5)");
  EXPECT_EQ(files(), before);
}

TEST_F(BacktestTest, TheFirstFoldThatFailsEndsAllWithItsLine) {
  const Outcome outcome = run(words({"--folds", "3", "--quiet", "--set", "train.lr=3e38", "--set",
                                     "train.optimizer=sgd", "--jobs", "2"}));
  expect_error(outcome, kExitFailed, "run/fold-");
  EXPECT_THAT(outcome.err, HasSubstr("epoch 1, step "));
}

// A signal at moments over the whole run, until it ends: the same bits as of a run that nobody
// stopped.
TEST_F(BacktestTest, AStoppedOneGoesOnToTheSameBits) {
  const auto all = [](const std::string& folder) {
    return series({"--folds", "3", "--set", "train.epochs=40", "--set", "output.dir=" + folder});
  };
  const Outcome whole = run(all("whole"));
  ASSERT_EQ(whole.code, kExitDone) << whole.err;
  int stops = 0;
  int saved = 0;
  for (int pause = 20;; pause += 60) {
    const auto start = std::chrono::steady_clock::now();
    const Outcome outcome = interrupt(all("stopped"), stops % 2 == 0 ? SIGINT : SIGTERM, [&] {
      return std::chrono::steady_clock::now() - start > std::chrono::milliseconds(pause);
    });
    if (outcome.code == kExitDone) {
      EXPECT_EQ(outcome.out, whole.out);
      break;
    }
    // Before it listens to signals, the system ends it, without a line.
    EXPECT_THAT(outcome.code, ::testing::AnyOf(kExitStopped, -SIGINT, -SIGTERM)) << outcome.err;
    if (outcome.code == kExitStopped) {
      EXPECT_THAT(outcome.err, HasSubstr("stopped by a signal; what was trained is saved"));
      ++saved;
    }
    EXPECT_THAT(outcome.out, IsEmpty());
    ++stops;
    ASSERT_LT(stops, 100);
  }
  EXPECT_GT(saved, 0);
  for (const char* fold : {"fold-0", "fold-1", "fold-2"}) {
    const std::string name = std::string("/") + fold + "/test.json";
    EXPECT_EQ(read("stopped" + name), read("whole" + name));
  }
}

/// The processes of a folder's runs, by what they work in.
std::vector<pid_t> processes_in(const std::filesystem::path& folder) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code error;
    const pid_t process = std::atoi(entry.path().filename().c_str());
    if (process > 0 && std::filesystem::read_symlink(entry.path() / "cwd", error) == folder) {
      found.push_back(process);
    }
  }
  return found;
}

TEST_F(BacktestTest, NoFoldOutlivesAKilledOne) {
  const Outcome outcome =
      interrupt(series({"--folds", "2", "--set", "train.epochs=1000000"}), SIGKILL,
                [&] { return std::filesystem::exists(path("run/fold-1/checkpoint.h5")); });
  EXPECT_EQ(outcome.code, -SIGKILL);
  const auto folder = std::filesystem::canonical(path("."));
  const auto start = std::chrono::steady_clock::now();
  std::vector<pid_t> left = processes_in(folder);
  while (!left.empty() && std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    left = processes_in(folder);
  }
  EXPECT_THAT(left, IsEmpty());
  for (const pid_t process : left) kill(process, SIGKILL);
}

TEST_F(BacktestTest, JobsAndThreadsChangeNoBit) {
  const auto outcome = [&](const std::string& folder, const char* jobs, const char* threads) {
    const Outcome done = run(words({"--folds", "3", "--json", "--quiet", "--jobs", jobs,
                                    "--threads", threads, "--set", "output.dir=" + folder}));
    EXPECT_EQ(done.code, kExitDone) << done.err;
    return done.out;
  };
  const std::string one = outcome("one", "1", "2");
  EXPECT_EQ(outcome("three", "3", "1"), one);
  EXPECT_EQ(nlohmann::json::parse(one)["folds"].size(), 3);
}

}  // namespace
}  // namespace quadgate::apps
