// Stops runs on several ranks, with each MPI that the build found: by each signal that launchers
// send, to one rank and to the launcher; by a rank that is gone, stands still, has no data or a
// full disk. Tolerance: none. What is resumed ends with the bits of the run that was never stopped.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "apps/common/command.h"
#include "tests/apps/train/run_end.h"
#include "tests/apps/workspace.h"
#include "tests/support/paths.h"
#include "tests/support/ranks.h"

namespace quadgate::apps {
namespace {

using quadgate::testing::MpiUnderTest;
using quadgate::testing::Ranks;
using ::testing::HasSubstr;

/// What a run on several ranks may take to end.
constexpr std::chrono::seconds kBound(15);
constexpr std::chrono::seconds kPatience(120);

class StopRanksTest : public Workspace, public ::testing::WithParamInterface<MpiUnderTest> {
 protected:
  void SetUp() override {
    if (*GetParam().mpirun == '\0') {
      GTEST_SKIP() << "no mpirun." << GetParam().name << ": scripts/setup --cluster installs it";
    }
    Workspace::SetUp();
  }

  static bool is_openmpi() { return GetParam().name == std::string("openmpi"); }

  static std::vector<std::string> train_into(const std::string& folder) {
    return {"train",     "run.toml",
            "--threads", "1",
            "--set",     "train.grad_shards=4",
            "--set",     "train.batch_size=8",
            "--set",     "train.epochs=150",
            "--set",     "output.dir=" + folder};
  }

  /// Trains into run/, going on with what is there. `shell` is what each rank's shell does first.
  std::unique_ptr<Ranks> train(int count, const std::string& shell = ":",
                               const std::vector<std::string>& options = {}) const {
    auto words = train_into("run");
    if (std::filesystem::exists(path("run/run.toml"))) words.emplace_back("--resume");
    const std::string script = shell + R"(; exec "$0" "$@")";
    words.insert(words.begin(), {"/bin/sh", "-c", script, paths::program()});
    return std::make_unique<Ranks>(GetParam(), count, words, path(""), options);
  }
  /// Shell commands for one rank alone.
  static std::string on_rank(int rank, const std::string& commands) {
    return "if [ \"$" + std::string(GetParam().variable) + "\" = " + std::to_string(rank) +
           " ]; then " + commands + "; fi";
  }

  std::filesystem::file_time_type saved() const {
    std::error_code none_yet;
    return std::filesystem::last_write_time(path("run/checkpoint.h5"), none_yet);
  }
  /// Until a run has saved something newer than `before`.
  void wait_for_save(Ranks& ranks, std::filesystem::file_time_type before =
                                       std::filesystem::file_time_type::min()) const {
    while (saved() == before) {
      ASSERT_FALSE(ranks.finish(std::chrono::milliseconds(2))) << ranks.err();
    }
  }
  static void send(int signal, ::pid_t process) {
    ASSERT_GT(process, 0) << "it has ended";
    ::kill(process, signal);
  }

  void expect_one_error(Ranks& ranks, const std::string& part) const {
    EXPECT_TRUE(ranks.finish(kBound)) << "they are still there";
    const std::string err = ranks.err();
    EXPECT_THAT(err, HasSubstr("quadgate: error: " + part));
    EXPECT_EQ(err.find("quadgate: error:"), err.rfind("quadgate: error:")) << err;
  }

  /// Goes on in one process to the end.
  void expect_whole_run() const {
    auto words = train_into("run");
    words.emplace_back("--resume");
    const Outcome rest = run(words);
    EXPECT_EQ(rest.code, kExitDone) << rest.err;
    ASSERT_EQ(run(train_into("reference")).code, kExitDone);
    expect_same_end(path("run"), path("reference"));
  }
};

TEST_P(StopRanksTest, ASignalToOneRankOrTheLauncherSavesAllAtTheSameStep) {
  struct Stop {
    int signal;
    bool to_rank;
  };
  std::vector<Stop> stops;
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) stops.push_back({signal, true});
  // Open MPI's launcher passes on no other ones with time to save, MPICH's ends with SIGUSR2.
  for (const int signal :
       is_openmpi() ? std::vector{SIGUSR1, SIGUSR2} : std::vector{SIGTERM, SIGINT, SIGUSR1}) {
    stops.push_back({signal, false});
  }
  int count = 2;
  for (const auto& [signal, to_rank] : stops) {
    SCOPED_TRACE(std::to_string(signal) + (to_rank ? " to a rank" : " to the launcher"));
    const auto before = saved();
    const auto ranks = train(count);
    wait_for_save(*ranks, before);
    send(signal, to_rank ? ranks->process(count - 1) : ranks->launcher());
    EXPECT_TRUE(ranks->finish(kPatience));
    // MPICH's launcher exits now and then with 0 when it has passed on a signal.
    if (to_rank || is_openmpi() || ranks->code() != 0) {
      EXPECT_EQ(ranks->code(), kExitStopped) << ranks->err();
    }
    EXPECT_THAT(ranks->err(), HasSubstr("stopped by a signal"));
    EXPECT_THAT(ranks->err(), Not(HasSubstr("quadgate: error")));
    count = 5 - count;
  }
  expect_whole_run();
}

// Without a launcher that ends the others, as srun does not.
TEST_P(StopRanksTest, ARankThatIsGoneEndsAll) {
  if (!is_openmpi()) GTEST_SKIP() << "only Open MPI has --enable-recovery";
  const auto ranks = train(3, ":", {"--enable-recovery"});
  wait_for_save(*ranks);
  send(SIGKILL, ranks->process(1));
  expect_one_error(*ranks, "rank 1 (");
  expect_whole_run();
}

TEST_P(StopRanksTest, OneThatAloneHasNoDataEndsAll) {
  std::filesystem::create_directory(path("elsewhere"));
  std::filesystem::copy_file(path("run.toml"), path("elsewhere/run.toml"));
  const auto ranks = train(2, on_rank(1, "cd elsewhere"));
  expect_one_error(*ranks, "rank 1 (");
  EXPECT_THAT(ranks->err(), HasSubstr("data.h5"));
  EXPECT_EQ(ranks->code(), kExitFailed);
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_P(StopRanksTest, OneThatAloneHasOtherDataEndsAll) {
  std::filesystem::create_directory(path("elsewhere"));
  std::filesystem::copy_file(path("run.toml"), path("elsewhere/run.toml"));
  std::string series = "@problemName other\n@univariate true\n@classLabel true 0 1\n@data\n";
  for (int i = 0; i < 20; ++i) series += "1,2,3:0\n2,1,4:1\n";
  write("other.ts", series);
  ASSERT_EQ(
      run({"prepare", "ts", "other.ts", "--valid-fraction", "0.2", "-o", "elsewhere/data.h5"}).code,
      kExitDone);
  const auto ranks = train(2, on_rank(1, "cd elsewhere"));
  expect_one_error(*ranks, "rank ");
  EXPECT_THAT(ranks->err(), HasSubstr("the data: expected the same at all ranks, found others at"));
  EXPECT_EQ(ranks->code(), kExitFailed);
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

TEST_P(StopRanksTest, AFullDiskEndsAllAndLeavesTheLastCheckpointWhole) {
  const auto ranks = train(3);
  wait_for_save(*ranks);
  const ::rlimit limit{1000, 1000};
  ASSERT_EQ(::prlimit(ranks->process(0), RLIMIT_FSIZE, &limit, nullptr), 0);
  expect_one_error(*ranks, "rank 0 (");
  EXPECT_THAT(ranks->err(), HasSubstr("run/"));
  EXPECT_EQ(ranks->code(), kExitFailed);
  expect_whole_run();
}

INSTANTIATE_TEST_SUITE_P(
    Mpi, StopRanksTest,
    ::testing::Values(MpiUnderTest{"openmpi", QUADGATE_MPIRUN_OPENMPI, "OMPI_COMM_WORLD_RANK"},
                      MpiUnderTest{"mpich", QUADGATE_MPIRUN_MPICH, "PMI_RANK"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace quadgate::apps
