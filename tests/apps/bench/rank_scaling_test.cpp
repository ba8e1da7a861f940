// Sweeps `quadgate scale --ranks` and `--network` below the mpirun of each MPI that the build
// found: what a report holds, and what is refused. No tolerance: no time is compared with another.

#include "apps/bench/rank_scaling.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "tests/apps/workspace.h"
#include "tests/support/paths.h"
#include "tests/support/ranks.h"

namespace quadgate::apps {
namespace {

using quadgate::testing::MpiUnderTest;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class RankScalingTest : public Workspace, public ::testing::WithParamInterface<MpiUnderTest> {
 protected:
  void SetUp() override {
    if (*GetParam().mpirun == '\0') {
      GTEST_SKIP() << "no mpirun." << GetParam().name << ": scripts/setup --cluster installs it";
    }
    Workspace::SetUp();
  }

  /// A tiny shape of N rows, with `rest`, on 2 ranks.
  Outcome scale(const std::vector<std::string>& rest, const std::string& batch = "4") const {
    std::vector<std::string> words = {
        paths::program(), "scale", "--seq-len", "6", "--batch",   batch, "--input-size", "3",
        "--hidden-size",  "8",     "--repeats", "1", "--seconds", "0.05"};
    words.insert(words.end(), rest.begin(), rest.end());
    quadgate::testing::Ranks ranks(GetParam(), 2, words, path(""));
    EXPECT_TRUE(ranks.finish(std::chrono::seconds(300))) << ranks.err();
    return {ranks.code(), ranks.out(), ranks.err()};
  }

  void expect_refused(const std::vector<std::string>& rest, const std::string& part,
                      const std::string& batch = "4") const {
    const Outcome outcome = scale(rest, batch);
    EXPECT_NE(outcome.code, kExitDone);
    EXPECT_THAT(outcome.err, HasSubstr(part));
    const std::size_t line = outcome.err.find("quadgate: error:");
    EXPECT_NE(line, std::string::npos);
    EXPECT_EQ(outcome.err.find("quadgate: error:", line + 1), std::string::npos) << outcome.err;
    EXPECT_FALSE(files().contains("s.json"));
  }
};

TEST_P(RankScalingTest, ReportsWhatRanksReachAndSend) {
  const Outcome outcome =
      scale({"--ranks", "2,1", "--threads", "1", "--mode", "weak", "--network", "-o", "s.json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("wrote s.json: "));
  EXPECT_THAT(outcome.out, HasSubstr("\nprediction: 1024 ranks: "));
  const auto record = nlohmann::json::parse(read("s.json"));
  EXPECT_EQ(record["launched_ranks"], 2);
  EXPECT_EQ(record["machines"], 1);
  ASSERT_EQ(record["points"].size() + record["left_out"].size(), 2);
  EXPECT_EQ(record["points"][0]["ranks"], 1);
  EXPECT_FALSE(record["points"][0].contains("communication"));
  for (const auto& point : record["points"]) {
    if (point["ranks"] != 2) continue;
    EXPECT_EQ(point["batch"], 8);
    const auto& communication = point["communication"];
    // All weights, (3 + 8 + 2) 32 + (8 + 1) 10 and gaps: half of the gradient goes, and half of the
    // weights.
    EXPECT_GE(communication["sent_bytes_per_step"], 4 * (13 * 32 + 90));
    EXPECT_LE(communication["sent_bytes_per_step"], 4 * (13 * 32 + 90 + 6 * 16));
    // Those of one block are one rank's alone: it sends weights, the other one gradients.
    EXPECT_EQ(communication["messages_per_step"], 1);
    EXPECT_EQ(communication["small_messages_per_step"], 1);
    EXPECT_GT(communication["exchange_ms"]["min"], 0);
    EXPECT_GE(communication["exposed_ms"]["min"], 0);
    EXPECT_GE(communication["hidden_ms"]["min"], 0);
  }
  const auto& network = record["network"];
  EXPECT_EQ(network["threads"], 1);
  EXPECT_EQ(network["one_machine"], true);
  ASSERT_EQ(network["checks"].size(), 1);
  const auto& check = network["checks"][0];
  EXPECT_GT(check["links"]["ranks 1 apart"]["latency_us"], 0);
  EXPECT_GT(check["links"]["ranks 1 apart"]["bytes_per_s"], 0);
  EXPECT_GT(check["adder_bytes_per_s"], 0);
  EXPECT_GT(check["prediction"]["step_ms"], 0);
  EXPECT_NEAR(
      check["error"].get<double>(),
      check["prediction"]["step_ms"].get<double>() / check["step_ms"]["median"].get<double>() - 1,
      1e-9);
  ASSERT_EQ(network["predictions"].size(), 11);
  EXPECT_EQ(network["predictions"][10]["ranks"], 1024);
  EXPECT_EQ(network["predictions"][10]["batch"], 4096);
  EXPECT_EQ(network["predictions"][0]["efficiency"], 1);
}

TEST_P(RankScalingTest, APageHoldsPredictions) {
  const Outcome outcome = scale({"--network", "--threads", "1", "-o", "s.html"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const std::string page = read("s.html");
  EXPECT_THAT(page, HasSubstr("Scaling of a training step over ranks"));
  EXPECT_THAT(page, HasSubstr("<h2>Predictions</h2>"));
}

TEST_P(RankScalingTest, WhatCannotBeMeasuredIsOneLine) {
  const auto with = [](std::vector<std::string> rest) {
    rest.insert(rest.end(), {"-o", "s.json"});
    return rest;
  };
  expect_refused(with({"--threads", "1"}),
                 "--ranks: expected how many of the 2 ranks to measure, such as 1,2");
  for (const char* list : {"0,1", "1,3"}) {
    expect_refused(with({"--threads", "1", "--ranks", list}),
                   "--ranks: expected different numbers from 1 to 2 such as 1,2,4, found '" +
                       std::string(list) + "'");
  }
  expect_refused(with({"--threads", "1,2", "--network"}),
                 "--threads: expected one number with --network, found '1,2'");
  expect_refused(with({"--threads", "1000", "--ranks", "1"}), "--threads: expected no more than");
  expect_refused(with({"--threads", "1", "--ranks", "2"}), "--batch: expected at least 2 rows",
                 "1");
  expect_refused(with({"--threads", "1", "--ranks", "2", "--compare", "torch"}), "--compare");
  expect_refused({"--threads", "1", "--ranks", "1", "-o", "none/s.json"}, "none/s.json");
}

INSTANTIATE_TEST_SUITE_P(
    Mpi, RankScalingTest,
    ::testing::Values(MpiUnderTest{"openmpi", QUADGATE_MPIRUN_OPENMPI, "OMPI_COMM_WORLD_RANK"},
                      MpiUnderTest{"mpich", QUADGATE_MPIRUN_MPICH, "PMI_RANK"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace quadgate::apps
