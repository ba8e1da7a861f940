// Sweeps: the metrics of each task, with and without a valid split. No tolerance: text.

#include "apps/train/training_report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

using nlohmann::json;

class TrainingReportTest : public Workspace {
 protected:
  TrainingReportTest() {
    state_.epoch = 1;
    state_.step = 5;
    state_.running = {
        .items = 4, .loss = 2, .weight = 4, .squared_error = 8, .absolute_error = 6, .correct = 3};
  }

  TrainingReport report() const { return {{.progress = false}, {2, 80, 16}, folder_, model_}; }

  RunFolder folder_{"unused"};
  ModelDescription model_{.config = {.rnn = {}, .task = Task::classification, .output_size = 2}};
  TrainingState state_;
};

TEST_F(TrainingReportTest, CountsTheEpochAlone) {
  TrainingReport told = report();
  told.add_batch(100, 100, state_);
  told.begin_epoch();
  told.add_batch(16, 2, state_);
  told.add_batch(16, 2, state_);
  const json line = json::parse(told.metrics_line(
      {.valid = {}, .lr = 0.5, .data_wait_seconds = 0.25, .checkpoint_seconds = 0.125}, state_));
  EXPECT_EQ(line, json::parse(R"({"epoch": 1, "step": 5, "train_loss": 0.5, "train_accuracy": 0.75,
      "seconds": 4.0, "data_wait_seconds": 0.25, "sequences_per_second": 8.0,
      "checkpoint_seconds": 0.125, "lr": 0.5})"));
}

TEST_F(TrainingReportTest, HasTheMetricsOfTheTask) {
  model_.config.task = Task::regression;
  const Metrics valid{.items = 2, .loss = 3, .weight = 2, .squared_error = 1, .absolute_error = 4};
  const json regression = json::parse(report().metrics_line({.valid = valid}, state_));
  EXPECT_EQ(regression["train_mse"], 2.0);
  EXPECT_EQ(regression["train_mae"], 1.5);
  EXPECT_EQ(regression["valid_loss"], 1.5);
  EXPECT_EQ(regression["valid_mae"], 2.0);
  model_.config.task = Task::tagging;
  model_.data.streams = Streams{.count = 1, .bptt_len = 1};
  EXPECT_TRUE(json::parse(report().metrics_line({}, state_)).contains("train_perplexity"));
}

TEST_F(TrainingReportTest, KeepsTheLineInTheFolder) {
  const RunFolder folder(path("run"));
  folder.create();
  TrainingReport told({.progress = false}, {2, 80, 16}, folder, model_);
  state_.last_metrics = R"({"epoch":1})";
  told.finish_epoch(state_, state_.running, {});
  EXPECT_EQ(read("run/metrics.jsonl"), state_.last_metrics + "\n");
}

TEST_F(TrainingReportTest, TellsAListenerOfTheLine) {
  std::string line;
  TrainingReport told(
      {.progress = false, .file = false, .on_epoch = [&](std::string_view text) { line = text; }},
      {2, 80, 16}, folder_, model_);
  state_.last_metrics = R"({"epoch":1})";
  told.finish_epoch(state_, state_.running, {});
  EXPECT_EQ(line, state_.last_metrics);
}

}  // namespace
}  // namespace quadgate::apps
