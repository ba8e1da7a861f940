// Sweeps: the metric that each task is the best by; saves by steps and by minutes, with and without
// gradients that wait for an update. No tolerance.

#include "apps/train/checkpoint_policy.h"

#include <gtest/gtest.h>

#include "tests/apps/workspace.h"

namespace quadgate::apps {
namespace {

class CheckpointPolicyTest : public Workspace {
 protected:
  /// Of a small model, accumulating over two batches.
  struct Training {
    ModelDescription model{.config = {.rnn = {.input_size = 1, .hidden_size = 2},
                                      .task = Task::classification,
                                      .output_size = 2},
                           .data = {.class_names = {"no", "yes"}}};
    Arena arena{1};
    Network network{model.config, 1, 1, arena};
    Trainer trainer{network, {.accumulate_steps = 2}, 1};

    void step() {
      Batch batch;
      batch.x = {0.5F};
      batch.offsets = {0, 1};
      batch.labels = {1};
      trainer.step(batch);
    }
  };

  CheckpointPolicy policy(const RunConfig::Train& config) {
    const RunFolder folder(path("run"));
    folder.create();
    return {config, folder, training_.model, training_.trainer};
  }

  Training training_;
};

TEST_F(CheckpointPolicyTest, TheBestIsByAccuracyOrByLoss) {
  TrainingState state;
  const Metrics better{.items = 4, .loss = 4, .weight = 4, .correct = 3};
  const Metrics worse{.items = 4, .loss = 2, .weight = 4, .correct = 2};
  CheckpointPolicy by_accuracy = policy({});
  EXPECT_TRUE(by_accuracy.improves(worse, state));
  EXPECT_TRUE(by_accuracy.improves(better, state));
  EXPECT_EQ(state.best_metric, 0.75);
  EXPECT_EQ(state.best_epoch, 1);
  state.epoch = 4;
  EXPECT_FALSE(by_accuracy.improves(better, state));
  EXPECT_FALSE(by_accuracy.improves(worse, state));
  EXPECT_EQ(state.best_epoch, 1);
  training_.model.data.streams = Streams{.count = 1, .bptt_len = 1};
  CheckpointPolicy by_loss = policy({});
  state.best_metric = {};
  EXPECT_TRUE(by_loss.improves(better, state));
  EXPECT_TRUE(by_loss.improves(worse, state));
  EXPECT_EQ(state.best_metric, 0.5);
  EXPECT_FALSE(by_loss.improves(better, state));
}

TEST_F(CheckpointPolicyTest, TheLowerLossWinsWhereAccuracyIsEqual) {
  const Metrics first{.items = 4, .loss = 4, .weight = 4, .correct = 3};
  const Metrics lower{.items = 4, .loss = 3, .weight = 4, .correct = 3};
  const CheckpointPolicy checkpoints = policy({});
  TrainingState state;
  EXPECT_TRUE(checkpoints.improves(first, state));
  state.epoch = 1;
  EXPECT_TRUE(checkpoints.improves(lower, state));
  EXPECT_EQ(state.best_epoch, 2);
  EXPECT_EQ(state.best_loss, 0.75);
  EXPECT_FALSE(checkpoints.improves(lower, state));
  EXPECT_FALSE(checkpoints.improves(first, state));
  TrainingState of_an_older_file;
  of_an_older_file.best_metric = 0.75;
  EXPECT_FALSE(checkpoints.improves(lower, of_an_older_file)) << "its loss is not known";
}

TEST_F(CheckpointPolicyTest, IsDueEverySomeStepsAndPutOffWhileGradientsWait) {
  RunConfig::Train config;
  config.checkpoint_every_steps = 3;
  CheckpointPolicy checkpoints = policy(config);
  TrainingState state;
  state.step = 2;
  EXPECT_FALSE(checkpoints.due(state));
  state.step = 3;
  training_.step();
  EXPECT_FALSE(checkpoints.due(state));
  training_.step();
  EXPECT_TRUE(checkpoints.due(state));
  state.step = 4;
  EXPECT_TRUE(checkpoints.due(state));
  checkpoints.save(state);
  checkpoints.finish();
  EXPECT_FALSE(checkpoints.due(state));
  EXPECT_EQ(Checkpoint(path("run/checkpoint.h5")).training_state().step, 4);
  EXPECT_GT(checkpoints.take_seconds(), 0);
  EXPECT_EQ(checkpoints.take_seconds(), 0);
}

TEST_F(CheckpointPolicyTest, IsDueEverySomeMinutes) {
  const TrainingState state;
  RunConfig::Train config;
  EXPECT_FALSE(policy(config).due(state));
  config.checkpoint_every_minutes = 60;
  EXPECT_FALSE(policy(config).due(state));
  config.checkpoint_every_minutes = 0;
  EXPECT_TRUE(policy(config).due(state));
}

}  // namespace
}  // namespace quadgate::apps
