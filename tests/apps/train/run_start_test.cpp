// Sweeps: what resuming reads of a checkpoint of several MB, whole and damaged; counters that
// cannot be. Tolerance: half the file for what is no checksum and no value.

#include "apps/train/run_start.h"

#include <gtest/gtest.h>

#include "apps/common/command.h"
#include "apps/train/run_plan.h"
#include "tests/apps/workspace.h"
#include "tests/support/bytes_read.h"

namespace quadgate::apps {
namespace {

class RunStartTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    const Outcome trained = run({"train", "run.toml", "--quiet", "--set", "model.hidden_size=128",
                                 "--set", "train.epochs=2"});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
  }

  /// Resumes, in this process. The bytes that it reads meanwhile, over those of a checkpoint.
  double files_read() const {
    const RunFolder folder(path("run"));
    RunConfig config = read_run_config(folder.run_file());
    Dataset data(path("data.h5"));
    complete(config, data);
    Arena arena(1);
    Network network(model_of(config, data), 9, config.train.batch_size, arena);
    Trainer trainer(network, config.train.optimizer, 1);
    const std::int64_t before = bytes_read();
    const Origin origin = open_origin(config, folder, true);
    EXPECT_GE(resume(config, folder, origin, data, trainer).epoch, 1);
    return static_cast<double>(bytes_read() - before) /
           static_cast<double>(std::filesystem::file_size(folder.checkpoint()));
  }
};

TEST_F(RunStartTest, ReadsACheckpointOnceForItsChecksumAndOnceForItsValues) {
  if (bytes_read() == 0) {
    GTEST_SKIP() << "SKIPPED: this system does not count what a process reads";
  }
  EXPECT_LT(files_read(), 2.5);
}

TEST_F(RunStartTest, ReadsADamagedOneOnceMore) {
  if (bytes_read() == 0) {
    GTEST_SKIP() << "SKIPPED: this system does not count what a process reads";
  }
  std::string damaged = read("run/checkpoint.h5");
  damaged[damaged.size() / 2] ^= 1;
  write("run/checkpoint.h5", damaged);
  EXPECT_LT(files_read(), 3.5);
}

class CountersTest : public Workspace {
 protected:
  void SetUp() override {
    Workspace::SetUp();
    const Outcome trained = run({"train", "run.toml", "--quiet", "--set", "train.epochs=2"});
    ASSERT_EQ(trained.code, kExitDone) << trained.err;
    before_ = read("run/checkpoint.h5");
  }

  /// Resumes from the checkpoint with other counters.
  template <typename Change>
  void expect_refused(const Change& change, const std::string& part) const {
    SCOPED_TRACE(part);
    write("run/checkpoint.h5", before_);
    const Checkpoint whole(path("run/checkpoint.h5"));
    const ModelDescription model = whole.description();
    Parameters parameters(model.config);
    whole.load_parameters(parameters);
    Optimizer optimizer({.kind = OptimizerConfig::Kind::adam, .clip_norm = 1.0},
                        parameters.values().size());
    whole.load_optimizer(parameters, optimizer);
    TrainingState state = whole.training_state();
    std::int64_t steps = optimizer.steps();
    change(state, steps);
    optimizer.set_steps(steps);
    save_checkpoint(path("run/checkpoint.h5"), model, parameters, optimizer, state);
    expect_error(run({"train", "run.toml", "--resume", "--quiet"}), kExitFailed,
                 "run/checkpoint.h5: attribute '" + part);
  }

 private:
  std::string before_;
};

TEST_F(CountersTest, RefusesThoseThatCannotBe) {
  // 80 sequences are 5 batches of 16; 2 epochs are 10 updates.
  using Steps = std::int64_t;
  expect_refused([](TrainingState& state, Steps&) { state.batch = 6; },
                 "training@batch': expected at most 5, found 6");
  expect_refused(
      [](TrainingState& state, Steps&) { state.batch = 3; },
      "training@step': expected 5 updates in each of 2 epochs and 3 in the next, found 10");
  expect_refused(
      [](TrainingState& state, Steps&) { state.epoch = 1, state.best_epoch = 1; },
      "training@step': expected 5 updates in each of 1 epochs and 0 in the next, found 10");
  expect_refused(
      [](TrainingState& state, Steps& steps) { state.step = steps = 11; },
      "training@step': expected 5 updates in each of 2 epochs and 0 in the next, found 11");
  expect_refused([](TrainingState& state, Steps&) { state.epoch = -2; },
                 "training@epoch': expected at least 0, found -2");
  expect_refused([](TrainingState&, Steps& steps) { steps = 9; },
                 "optimizer@steps': expected 10, as in training, found 9");
}

}  // namespace
}  // namespace quadgate::apps
