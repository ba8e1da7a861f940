// `quadgate scale`: its record, its page, its prediction, and an interrupt.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "apps/common/command.h"
#include "engine/base/phase_times.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ScaleTest : public Workspace {};

/// A tiny shape, with `rest`.
std::vector<std::string> scale_args(const std::vector<std::string>& rest) {
  std::vector<std::string> args = {"scale", "--seq-len",     "6", "--batch",   "4",  "--input-size",
                                   "3",     "--hidden-size", "8", "--threads", "2,1"};
  args.insert(args.end(), rest.begin(), rest.end());
  return args;
}

TEST_F(ScaleTest, WritesARecord) {
  const Outcome outcome = run(scale_args({"--repeats", "2", "--seconds", "0.05", "--mode", "weak",
                                          "--lengths", "2:6", "-o", "scale.json"}));
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("wrote scale.json: 2 threads: "));
  // The thread counts take turns.
  EXPECT_THAT(outcome.err,
              ::testing::ContainsRegex("repeat 1/2  1 thread .*\nrepeat 1/2  2 threads "
                                       ".*\nrepeat 2/2  1 thread .*\nrepeat 2/2  2"));
  const json record = json::parse(read("scale.json"));
  EXPECT_THAT(record["command"].get<std::string>(),
              StartsWith("quadgate scale --seq-len 6 --batch 4 "));
  EXPECT_EQ(record["mode"], "weak");
  EXPECT_EQ(record["fit"], "gustafson");
  EXPECT_EQ(record["shape"]["lengths"], "2:6");
  EXPECT_TRUE(record["serial_fraction"].is_number());
  EXPECT_TRUE(record["torch_version"].is_null());
  for (const char* key :
       {"cpu_model", "cpus", "cores", "caches", "numa_nodes", "isa", "affinity", "cgroup_cpus"}) {
    EXPECT_TRUE(record["machine"].contains(key)) << key;
  }
  ASSERT_EQ(record["points"].size(), 2);
  for (int i = 0; i < 2; ++i) {
    const json& point = record["points"][static_cast<std::size_t>(i)];
    EXPECT_EQ(point["threads"], i + 1);
    EXPECT_EQ(point["batch"], 4 * (i + 1));
    EXPECT_GE(point["steps"], 10);
    for (const char* key : {"step_ms", "gflops", "peak_gflops", "peak_fraction", "speed_up"}) {
      EXPECT_GT(point[key]["min"], 0) << key;
      EXPECT_LE(point[key]["min"], point[key]["q1"]) << key;
      EXPECT_LE(point[key]["q1"], point[key]["median"]) << key;
      EXPECT_LE(point[key]["median"], point[key]["q3"]) << key;
      EXPECT_LE(point[key]["q3"], point[key]["max"]) << key;
    }
    for (const char* key : {"efficiency", "peak_efficiency", "efficiency_over_peak"}) {
      EXPECT_GT(point[key], 0) << key;
    }
    EXPECT_EQ(point["phases"].size(), kPhases);
    double shares = 0;
    for (const auto& [name, share] : point["phases"].items()) {
      shares += share.get<double>();
      if (name != "waiting") {
        EXPECT_GT(share, 0) << name;
      }
    }
    EXPECT_NEAR(shares, 1, 1e-9);
  }
  EXPECT_EQ(record["points"][0]["speed_up"]["max"], 1);
}

TEST_F(ScaleTest, WritesAPage) {
  const Outcome outcome =
      run(scale_args({"--repeats", "1", "--seconds", "0", "--no-pin", "-o", "scale.html"}));
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(read("scale.html"), AllOf(StartsWith("<!DOCTYPE html>"), EndsWith("</html>\n"),
                                        HasSubstr("<td>not pinned</td>")));
}

void expect_sum_of_parts(const json& step) {
  double all = 0;
  for (const char* part : {"serial_ms", "sequences_ms", "head_ms", "weight_gradients_ms",
                           "update_ms", "joins_ms", "team_waits_ms"}) {
    all += step[part].get<double>();
  }
  EXPECT_NEAR(step["step_ms"].get<double>(), all, 1e-9);
}

TEST_F(ScaleTest, PredictsThreadsThatThereAreNot) {
  const Outcome outcome = run(scale_args({"--repeats", "1", "--seconds", "0.05", "--team", "1",
                                          "--simulate", "100,2", "-o", "scale.json"}));
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  EXPECT_THAT(outcome.out, HasSubstr("\n1 thread: predicted "));
  EXPECT_THAT(outcome.out, HasSubstr("\nprediction: 100 threads: "));
  EXPECT_THAT(outcome.out, HasSubstr("Not modelled: "));
  const json simulation = json::parse(read("scale.json"))["simulation"];
  ASSERT_EQ(simulation["checks"].size(), 2);
  const json& check = simulation["checks"][1];
  EXPECT_EQ(check["threads"], 2);
  EXPECT_NEAR(
      check["error"].get<double>(),
      check["prediction"]["step_ms"].get<double>() / check["step_ms"]["median"].get<double>() - 1,
      1e-9);
  ASSERT_EQ(simulation["predictions"].size(), 2);
  EXPECT_EQ(simulation["predictions"][0]["threads"], 2);
  const json& many = simulation["predictions"][1];
  EXPECT_EQ(many["threads"], 100);
  // There are 4 sequences.
  EXPECT_EQ(many["ranges"], 4);
  EXPECT_EQ(many["team"], 1);
  EXPECT_EQ(many["team_waits_ms"], 0);
  EXPECT_EQ(many["head_ms"], 0);
  expect_sum_of_parts(many);
}

TEST_F(ScaleTest, PredictsALanguageModel) {
  const Outcome outcome =
      run(scale_args({"--vocabulary", "300", "--repeats", "1", "--seconds", "0.05", "--team", "1",
                      "--simulate", "1,2,100", "-o", "scale.json"}));
  ASSERT_EQ(outcome.code, kExitDone) << outcome.err;
  const json record = json::parse(read("scale.json"));
  EXPECT_EQ(record["shape"]["vocabulary"], 300);
  const json& predictions = record["simulation"]["predictions"];
  ASSERT_EQ(predictions.size(), 3);
  for (std::size_t i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    expect_sum_of_parts(predictions[i]);
    EXPECT_GT(predictions[i]["head_ms"], 0);
    if (i > 0) {
      EXPECT_LT(predictions[i]["head_ms"], predictions[0]["head_ms"]);
    }
    if (i == 2) break;
    const json& check = record["simulation"]["checks"][i];
    EXPECT_EQ(check["prediction"]["step_ms"], predictions[i]["step_ms"]);
    EXPECT_NEAR(
        check["error"].get<double>(),
        predictions[i]["step_ms"].get<double>() / check["step_ms"]["median"].get<double>() - 1,
        1e-9);
  }
}

TEST_F(ScaleTest, InterruptedLeavesTheOldReport) {
  write("scale.json", "as it was");
  const auto before = files();
  const Outcome outcome =
      interrupt(scale_args({"--repeats", "1000", "-o", "scale.json"}), SIGINT,
                [&] { return read("w/stderr").find("repeat 1/") != std::string::npos; });
  EXPECT_EQ(outcome.code, -SIGINT);
  EXPECT_THAT(outcome.err, ::testing::EndsWith("quadgate: stopped by a signal\n"));
  EXPECT_EQ(files(), before);
}

}  // namespace
}  // namespace quadgate::apps
