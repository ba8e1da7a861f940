// Sweeps: checkpoints from the thread beside those of save_checkpoint; what is on the disk when it
// is told so; every error of the thread. Tolerance: none, files are compared byte for byte.

#include "io/model/checkpoint_writer.h"

#include <string>

#include "engine/base/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::files_beside;
using testing::message_of;

const ModelDescription kSmallModel{.config = {.rnn = {.input_size = 3, .hidden_size = 5},
                                              .task = Task::classification,
                                              .output_size = 2},
                                   .data = {.feature_names = {"a", "b", "c"},
                                            .class_names = {"no", "yes"},
                                            .mean = {},
                                            .std = {},
                                            .window = {}}};

class CheckpointWriterTest : public testing::FolderTest {
 protected:
  CheckpointWriterTest()
      : parameters_(kSmallModel.config),
        optimizer_({.kind = OptimizerConfig::Kind::adam, .clip_norm = {}},
                   parameters_.values().size()) {
    std::filesystem::create_directory(path("run"));
  }

  /// Another moment of the training.
  void train(std::uint64_t step) {
    parameters_.initialize(step);
    std::ranges::copy(parameters_.values(), optimizer_.states()[0].array.span().begin());
    optimizer_.set_steps(static_cast<std::int64_t>(step));
    state_.step = static_cast<std::int64_t>(step);
    state_.epoch = state_.step;
    state_.best_epoch = state_.step;
    state_.carried.h = {0, static_cast<float>(step)};
  }

  CheckpointWriter writer() const {
    return {path("run/checkpoint.h5"), path("run/best.h5"), kSmallModel, parameters_,
            optimizer_.config()};
  }
  /// What the file should hold now.
  std::string expected_checkpoint() const {
    save_checkpoint(path("expected.h5"), kSmallModel, parameters_, optimizer_, state_);
    return content_of(path("expected.h5"));
  }
  std::string expected_best() const {
    save_model(path("expected_best.h5"), kSmallModel, parameters_, state_.best_epoch);
    return content_of(path("expected_best.h5"));
  }

  Parameters parameters_;
  Optimizer optimizer_;
  TrainingState state_{};
  const std::function<void(Optimizer*)> copy_ = [this](Optimizer* to) {
    to->copy_state(optimizer_);
  };
};

TEST_F(CheckpointWriterTest, WritesWhatSaveCheckpointWrites) {
  CheckpointWriter writes = writer();
  train(1);
  writes.save(parameters_, copy_, state_, true);
  const std::string first = expected_checkpoint();
  const std::string best = expected_best();
  train(2);  // while it is being written
  writes.save(parameters_, copy_, state_, false);
  const std::string second = expected_checkpoint();
  train(3);
  writes.finish();
  EXPECT_FALSE(writes.busy());
  EXPECT_TRUE(content_of(path("run/checkpoint.h5")) == second);
  EXPECT_TRUE(content_of(path("run/checkpoint.prev.h5")) == first);
  EXPECT_TRUE(content_of(path("run/best.h5")) == best);
  EXPECT_THAT(files_beside(path("run/best.h5")),
              ElementsAre("best.h5", "checkpoint.h5", "checkpoint.prev.h5"));
}

TEST_F(CheckpointWriterTest, WritesTheLastOneBeforeItGoes) {
  for (std::uint64_t step = 1; step < 20; ++step) {
    train(step);
    {
      CheckpointWriter writes = writer();
      writes.save(parameters_, copy_, state_, false);
    }
    ASSERT_TRUE(content_of(path("run/checkpoint.h5")) == expected_checkpoint());
  }
}

TEST_F(CheckpointWriterTest, TellsAnErrorOnceAndGoesOn) {
  std::filesystem::create_directory(path("run/checkpoint.h5"));
  const auto is_told = EndsWith("checkpoint.h5: cannot be written: Is a directory");
  CheckpointWriter writes = writer();
  train(1);
  writes.save(parameters_, copy_, state_, false);
  EXPECT_THAT(message_of<FileError>([&] { writes.finish(); }), is_told);
  writes.finish();
  writes.save(parameters_, copy_, state_, false);
  EXPECT_THAT(message_of<FileError>([&] { writes.save(parameters_, copy_, state_, false); }),
              is_told);
  writes.save(parameters_, copy_, state_, false);
  EXPECT_THAT(message_of<FileError>([&] {
                while (writes.busy()) {
                }
              }),
              is_told);
  std::filesystem::remove(path("run/checkpoint.h5"));
  writes.save(parameters_, copy_, state_, false);
  writes.finish();
  EXPECT_TRUE(content_of(path("run/checkpoint.h5")) == expected_checkpoint());
}

TEST_F(CheckpointWriterTest, NoCheckpointKnowsOfABestModelThatIsNotThere) {
  std::filesystem::create_directory(path("run/best.h5"));
  CheckpointWriter writes = writer();
  train(1);
  writes.save(parameters_, copy_, state_, true);
  EXPECT_THAT(message_of<FileError>([&] { writes.finish(); }),
              EndsWith("best.h5: cannot be written: Is a directory"));
  EXPECT_FALSE(std::filesystem::exists(path("run/checkpoint.h5")));
}

TEST_F(CheckpointWriterTest, NamesAFolderThatIsGone) {
  CheckpointWriter writes = writer();
  std::filesystem::remove_all(path("run"));
  writes.save(parameters_, copy_, state_, false);
  EXPECT_THAT(message_of<FileError>([&] { writes.finish(); }),
              EndsWith("checkpoint.h5: cannot be written: No such file or directory"));
}

}  // namespace
}  // namespace quadgate
