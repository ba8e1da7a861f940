// Sweeps 1 to 3 ranks with each MPI that the build found, features and text, runs that are killed
// at random moments and go on with another number of ranks. Tolerance: none. The end has the bits
// of the run on one rank.

#include "apps/common/ranks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/common/command.h"
#include "apps/train/run_lock.h"
#include "engine/base/random.h"
#include "tests/apps/train/run_end.h"
#include "tests/apps/workspace.h"
#include "tests/support/paths.h"
#include "tests/support/ranks.h"

namespace quadgate::apps {
namespace {

using quadgate::testing::MpiUnderTest;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(300);

/// What a run on several ranks left.
struct RanksOutcome {
  int code;
  std::string err;
};

class TrainOnRanksTest : public Workspace, public ::testing::WithParamInterface<MpiUnderTest> {
 protected:
  void SetUp() override {
    if (*GetParam().mpirun == '\0') {
      GTEST_SKIP() << "no mpirun." << GetParam().name << ": scripts/setup --cluster installs it";
    }
    Workspace::SetUp();
  }

  static std::vector<std::string> words(const std::string& folder,
                                        const std::vector<std::string>& settings) {
    std::vector<std::string> words = {"train", "run.toml", "--threads",
                                      "1",     "--set",    "output.dir=" + folder};
    for (const std::string& setting : settings) words.insert(words.end(), {"--set", setting});
    return words;
  }

  std::unique_ptr<quadgate::testing::Ranks> start_ranks(int count,
                                                        std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), paths::program());
    return std::make_unique<quadgate::testing::Ranks>(GetParam(), count, arguments, path(""));
  }

  RanksOutcome run_ranks(int count, const std::vector<std::string>& arguments) const {
    const auto ranks = start_ranks(count, arguments);
    EXPECT_TRUE(ranks->finish(kPatience)) << ranks->err();
    return {ranks->code(), ranks->err()};
  }

  void expect_same_bits(const std::vector<std::string>& settings) const {
    std::filesystem::remove_all(path("reference"));
    ASSERT_EQ(run(words("reference", settings)).code, kExitDone);
    for (const int ranks : {2, 3}) {
      std::filesystem::remove_all(path("run"));
      const RanksOutcome outcome = run_ranks(ranks, words("run", settings));
      EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
      EXPECT_THAT(outcome.err, HasSubstr(std::to_string(ranks) + " ranks; grad_shards = 4"));
      expect_same_end(path("run"), path("reference"));
    }
  }

  static int lines_of_ours(const std::string& text) {
    int lines = 0;
    for (std::size_t at = text.find("quadgate: error:"); at != std::string::npos;
         at = text.find("quadgate: error:", at + 1)) {
      ++lines;
    }
    return lines;
  }

  /// That the run ends on all ranks with one line that has `part`.
  void expect_one_error(int ranks, const std::vector<std::string>& arguments,
                        const std::string& part, int code = kExitFailed) const {
    const RanksOutcome outcome = run_ranks(ranks, arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_EQ(lines_of_ours(outcome.err), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(part));
  }
};

TEST_P(TrainOnRanksTest, GivesTheBitsOfOneRank) {
  expect_same_bits({"train.grad_shards=4", "train.checkpoint_every_steps=2"});
  expect_same_bits({"train.grad_shards=4", "train.accumulate_steps=2", "train.optimizer=sgd",
                    "train.momentum=0.9", "train.bucket_by_length=true",
                    "train.shuffle_buffer=20"});
}

TEST_P(TrainOnRanksTest, GivesTheBitsOfOneRankForText) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += i % 3 == 0 ? "we eat " : "we sleep. ";
  write("text.txt", text);
  ASSERT_EQ(
      run({"prepare", "text", "text.txt", "--valid-fraction", "0.2", "-o", "data.h5", "--force"})
          .code,
      kExitDone);
  expect_same_bits({"train.grad_shards=4", "model.embedding_size=6", "train.batch_size=6",
                    "train.bptt_len=10", "train.checkpoint_every_steps=5"});
}

TEST_P(TrainOnRanksTest, GoesOnWithAnotherNumberOfRanksToTheSameBits) {
  const std::vector<std::string> settings = {"train.epochs=12", "train.grad_shards=4",
                                             "train.checkpoint_every_steps=3"};
  ASSERT_EQ(run(words("reference", settings)).code, kExitDone);
  std::uint32_t drawn = 0;
  const auto random = [&](std::uint32_t below) { return philox(7, {++drawn, 0, 0, 0})[0] % below; };
  const auto go_on = [&] {
    auto arguments = words("run", settings);
    if (std::filesystem::exists(path("run/run.toml"))) arguments.emplace_back("--resume");
    return arguments;
  };
  for (const int count : {3, 2, 3}) {
    const auto ranks = start_ranks(count, go_on());
    std::this_thread::sleep_for(std::chrono::milliseconds(200 + random(400)));
    const pid_t process = ranks->process(static_cast<int>(random(static_cast<unsigned>(count))));
    if (process != 0) ::kill(process, SIGKILL);
    EXPECT_TRUE(ranks->finish(kPatience));
  }
  const Outcome done = run(go_on());
  EXPECT_EQ(done.code, kExitDone) << done.err;
  expect_same_end(path("run"), path("reference"));
}

TEST_P(TrainOnRanksTest, SaysOnceWhatIsWrong) {
  expect_one_error(3, words("run", {"train.grad_shards=2"}),
                   "train.grad_shards: expected 3 (ranks) to 16 (train.batch_size), found 2");
  expect_one_error(2, words("run", {"train.grad_shards=17"}), "found 17");
  expect_one_error(2, {"train", "run.toml", "--typo"}, "--typo", kExitWrongUse);
  expect_one_error(2, words("run", {"model.hidden_sise=4"}), "model.hidden_sise");
  expect_one_error(2, words("run", {"data.path=missing.h5"}), "missing.h5");
  ASSERT_EQ(run_ranks(2, words("run", {})).code, kExitDone);
  expect_one_error(2, words("run", {}), "run: already holds a run");
  {
    auto held = words("run", {});
    held.emplace_back("--resume");
    const RunLock lock(path("run"));
    expect_one_error(2, held, "run: another process trains here");
  }
  auto resumed = words("run", {"train.epochs=4", "train.grad_shards=8"});
  resumed.emplace_back("--resume");
  expect_one_error(2, resumed, "train.grad_shards: expected 2 as in the run to resume, found 8");
  resumed = words("run", {"train.epochs=4"});
  resumed.emplace_back("--resume");
  expect_one_error(3, resumed, "found 2, as in the run to resume");
  EXPECT_EQ(run(resumed).code, kExitDone) << "one rank";
}

TEST_P(TrainOnRanksTest, BenchTimesStepsOfAllRanks) {
  const auto ranks =
      start_ranks(2, {"bench", "--seq-len", "4", "--batch", "8", "--input-size", "3",
                      "--hidden-size", "8", "--threads", "1", "--seconds", "0.1", "--json"});
  ASSERT_TRUE(ranks->finish(kPatience)) << ranks->err();
  EXPECT_EQ(ranks->code(), kExitDone) << ranks->err();
  const auto record = nlohmann::json::parse(ranks->out());
  EXPECT_EQ(record["ranks"], 2);
  // All weights, (3 + 8 + 2) 32 + (8 + 1) 10 and gaps: half of the gradient goes, and half of the
  // weights.
  const std::int64_t bytes = record["sent_bytes_per_step"];
  EXPECT_GE(bytes, 4 * (13 * 32 + 90));
  EXPECT_LE(bytes, 4 * (13 * 32 + 90 + 6 * 16));
}

INSTANTIATE_TEST_SUITE_P(
    Mpi, TrainOnRanksTest,
    ::testing::Values(MpiUnderTest{"openmpi", QUADGATE_MPIRUN_OPENMPI, "OMPI_COMM_WORLD_RANK"},
                      MpiUnderTest{"mpich", QUADGATE_MPIRUN_MPICH, "PMI_RANK"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace quadgate::apps
