// `quadgate bench`: its record, and that its FLOPs are those of the products (to rounding).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "apps/bench/step_benchmark.h"
#include "apps/common/command.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using nlohmann::json;

class BenchTest : public Workspace {};

/// Of all tasks.
double sum(const json& tasks, const char* cost) {
  double all = 0;
  for (const json& each : tasks) all += each[cost].get<double>() * each["count"].get<double>();
  return all;
}

TEST_F(BenchTest, PrintsTheContract) {
  const Outcome outcome = run(
      {"bench",     "--seq-len",     "6",         "--batch",      "4",           "--input-size",
       "3",         "--hidden-size", "8",         "--num-layers", "2",           "--bidirectional",
       "--lengths", "2:6",           "--seconds", "0.01",         "--threads",   "2",
       "--backend", "auto",          "--cell",    "gru",          "--precision", "f32",
       "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const json record = json::parse(outcome.out);
  for (const char* key :
       {"step_ms_median", "step_ms_min", "gflops", "peak_gflops", "peak_fraction", "tokens_per_s",
        "steps", "threads", "isa", "backend", "precision", "peak_rss_mb"}) {
    EXPECT_TRUE(record.contains(key)) << key;
  }
  EXPECT_GE(record["steps"], 5);
  EXPECT_GT(record["peak_fraction"], 0);
}

TEST_F(BenchTest, TellsTheSerialTimeAndTheTasks) {
  const Outcome outcome =
      run({"bench", "--seq-len", "6", "--batch", "4", "--input-size", "3", "--hidden-size", "8",
           "--seconds", "0.01", "--threads", "2", "--team", "1", "--backend", "native", "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const json record = json::parse(outcome.out);
  EXPECT_LT(record["serial_ms"], record["step_ms_median"]);
  const json& plan = record["plan"];
  // Two cores share 4 sequences of 6 steps.
  EXPECT_EQ(plan["ranges"], json::parse(R"([{"rows": 2, "steps": 12}, {"rows": 2, "steps": 12}])"));
  EXPECT_EQ(plan["team"], 1);
  EXPECT_EQ(plan["head"], json::array());
  // Weights and two biases of the gates, and the head's.
  EXPECT_EQ(sum(plan["updates"], "weights"), 4 * 8 * (3 + 8 + 2) + 10 * (8 + 1));
  EXPECT_GE(sum(plan["weight_gradients"], "multiply_adds"), 24 * (4 * 8 * (3 + 8) + 10 * 8));
}

TEST_F(BenchTest, TellsTheTasksOfALanguageModel) {
  const Outcome outcome =
      run({"bench", "--seq-len", "6", "--batch", "40", "--input-size", "3", "--hidden-size", "8",
           "--vocabulary", "300", "--seconds", "0.01", "--threads", "2", "--team", "1", "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const json plan = json::parse(outcome.out)["plan"];
  const auto tokens =
      random_batch({.seq_len = 6, .batch = 40, .vocabulary = 300, .lengths = ""}).tokens;
  const auto present = static_cast<double>(std::set(tokens.begin(), tokens.end()).size());
  EXPECT_EQ(sum(plan["updates"], "weights"), 4 * 8 * (3 + 8 + 2) + 300 * (8 + 1) + 3 * present);
  // Three products of the head, and its losses.
  const double product = 240 * 300 * 8;
  EXPECT_GT(sum(plan["head"], "multiply_adds"), 3 * product);
  EXPECT_GE(sum(plan["weight_gradients"], "multiply_adds"), 240 * 4 * 8 * (3 + 8));
}

TEST_F(BenchTest, TrainsALanguageModel) {
  const Outcome outcome =
      run({"bench", "--seq-len", "6", "--batch", "4", "--input-size", "3", "--hidden-size", "8",
           "--vocabulary", "1100", "--seconds", "0", "--threads", "2", "--json"});
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const json record = json::parse(outcome.out);
  // 24 steps, three products each: the head's with 1,100 classes and the gates'.
  const double gflop = 3 * 2.0 * 24 * (1100 * 8 + 4 * 8 * (3 + 8)) / 1e9;
  EXPECT_NEAR(record["gflops"].get<double>() * record["step_ms_min"].get<double>() / 1e3, gflop,
              1e-6 * gflop);
}

TEST_F(BenchTest, CountsAThirdOfAStepForward) {
  const auto gflop = [&](const std::vector<std::string>& rest) {
    std::vector<std::string> args{"bench", "--seq-len",     "6", "--batch",   "4", "--input-size",
                                  "3",     "--hidden-size", "8", "--threads", "1", "--seconds",
                                  "0",     "--json"};
    args.insert(args.end(), rest.begin(), rest.end());
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    const json record = json::parse(outcome.out);
    return record["gflops"].get<double>() * record["step_ms_min"].get<double>();
  };
  const double forward = gflop({"--forward"});
  EXPECT_NEAR(forward, 2.0 * 6 * 4 * (4 * 8 * (3 + 8) + 10 * 8) * 1e-6, 1e-9);
  EXPECT_NEAR(gflop({}), 3 * forward, 1e-9);
}

TEST_F(BenchTest, HoldsTheBatchTwiceAtMost) {
  const auto memory = [&](const char* input_size) {
    const Outcome outcome =
        run({"bench", "--seq-len", "64", "--batch", "64", "--input-size", input_size,
             "--hidden-size", "1", "--threads", "1", "--seconds", "0", "--json"});
    EXPECT_EQ(outcome.code, kExitDone) << outcome.err;
    return json::parse(outcome.out)["peak_rss_mb"].get<double>();
  };
  // As it came, and in the order of the steps. Sanitizers take an eighth more.
  EXPECT_LT(memory("2048") - memory("1"), 2.5 * 64 * 64 * 2048 * sizeof(float) / 0x1p20);
}

}  // namespace
}  // namespace quadgate::apps
