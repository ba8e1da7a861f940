// Sweeps: which key is named, by models of every kind; what train says it needs beside what it had
// at its peak, of models whose weights and whose batches are large. Tolerance: 25 %, where a page
// and the program itself are small; never more than 10 % above, which could refuse what fits.

#include "apps/train/memory_need.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <regex>

#include "apps/common/command.h"
#include "engine/base/error.h"
#include "io/prepare/dataset_writer.h"
#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

/// The message of an `expect_room` that throws; empty if it does not.
std::string problem(const MemoryNeed& need, const RunConfig& config, const ModelConfig& model,
                    std::int64_t seq_len, std::optional<double> available) {
  try {
    expect_room(need, {.available = available}, config, model, seq_len);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

TEST(ExpectRoomTest, RefusesWhatSurelyDoesNotFit) {
  const MemoryNeed need{.program = 1e8, .weights = 4e9, .batches = 1e9};
  const ModelConfig model{.rnn = {.hidden_size = 4096}};
  EXPECT_EQ(problem(need, {}, model, 9, 3.9e9),
            "training needs 5.1 GB of memory, 3.9 GB are free; most is for the weights of "
            "model.hidden_size 4096");
  EXPECT_EQ(problem(need, {}, model, 9, 4.6e9), "") << "an estimate may be a little too high";
  EXPECT_EQ(problem(need, {}, model, 9, {}), "") << "the system does not tell";
  const MemoryNeed unsure{.weights = 4e9, .batches = 9e9, .unsure = 9e9};
  EXPECT_EQ(problem(unsure, {}, model, 9, 3.7e9), "") << "batches may take less than is planned";
  EXPECT_NE(problem(unsure, {}, model, 9, 3.5e9), "");
}

TEST(ExpectRoomTest, NamesTheKeyThatMostIsFor) {
  const MemoryNeed weights{.weights = 9e8, .batches = 1e8};
  const MemoryNeed batches{.weights = 1e8, .batches = 9e8};
  RunConfig config;
  config.train.batch_size = 512;
  ModelConfig model{.rnn = {.input_size = 64, .hidden_size = 32}, .output_size = 1'000'000};
  model.embedding = {.vocabulary_size = 1'000'000};
  const auto named = [&](const MemoryNeed& need, std::int64_t seq_len) {
    return problem(need, config, model, seq_len, 1e8);
  };
  EXPECT_THAT(named(weights, 9), HasSubstr("a vocabulary of 1000000 tokens"));
  EXPECT_THAT(named(batches, 9), HasSubstr("for train.batch_size 512 with sequences of up to 9"));
  EXPECT_THAT(named(batches, 7000),
              HasSubstr("for sequences of up to 7000 steps in batches of train.batch_size 512"));
  config.train.bptt_len = 600;
  EXPECT_THAT(named(batches, 600), HasSubstr("600 steps (train.bptt_len)"));
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define QUADGATE_HAS_SHADOW_MEMORY
#endif
#endif

class MemoryNeedTest : public Workspace {
 protected:
  /// Trains; bytes that it said it needs over bytes that it had at its peak.
  double said_over_measured(const std::vector<std::string>& settings) const {
    std::vector<std::string> args{"train", "run.toml", "--set", "train.epochs=1"};
    for (const std::string& setting : settings) args.insert(args.end(), {"--set", setting});
    const pid_t child = start(args);
    int status = 0;
    rusage usage{};
    wait4(child, &status, 0, &usage);
    EXPECT_EQ(status, 0) << read("w/stderr");
    const std::string told = read("w/stderr");
    std::smatch match;
    EXPECT_TRUE(std::regex_search(told, match, std::regex(R"(, about ([0-9.]+) GB\n)"))) << told;
    std::filesystem::remove_all(path("run"));
    return 1e9 * std::stod(match[1]) / (1024.0 * static_cast<double>(usage.ru_maxrss));
  }
};

TEST_F(MemoryNeedTest, IsWhatTrainingTakes) {
#ifdef QUADGATE_HAS_SHADOW_MEMORY
  GTEST_SKIP() << "SKIPPED: the sanitizer takes more memory than training";
#endif
  const auto expect_near = [&](const std::vector<std::string>& settings) {
    const double ratio = said_over_measured(settings);
    EXPECT_GT(ratio, 0.75) << settings.front();
    EXPECT_LT(ratio, 1.1) << settings.front();
  };
  expect_near({"model.hidden_size=700", "model.cell=gru", "train.batch_size=40"});
  expect_near({"model.hidden_size=1000", "train.optimizer=sgd", "model.num_layers=1"});
  LabelledSequences data("long");
  data.input_size = 2;
  data.class_names = {"no", "yes"};
  for (int row = 0; row < 32; ++row) data.add(std::vector<float>(2 * 2000, 0.5F), row % 2);
  write_sequences(path("data.h5"), data, {}, {}, {});
  expect_near({"train.batch_size=32", "model.hidden_size=128", "model.num_layers=1"});
  expect_near({"train.batch_size=32", "model.hidden_size=96", "model.precision=bf16"});
}

TEST_F(MemoryNeedTest, MoreThanThereIsEndsBeforeItBegins) {
  const Outcome outcome = run({"train", "run.toml", "--set", "model.hidden_size=1000000"});
  if (!memory_now().available) GTEST_SKIP() << "SKIPPED: this system does not tell what is free";
  expect_error(outcome, kExitWrongUse, "most is for the weights of model.hidden_size 1000000");
  EXPECT_FALSE(std::filesystem::exists(path("run")));
}

}  // namespace
}  // namespace quadgate::apps
