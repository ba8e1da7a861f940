// A checkpoint of version 1, which the first program wrote.

#include <tuple>

#include "engine/base/error.h"
#include "io/model/checkpoint.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::EndsWith;
using testing::message_of;

/// A file as the first versions wrote it: without pooling, loss and their sums.
class OldCheckpointTest : public testing::FolderTest {
 protected:
  hdf5::FileWriter old_file() const {
    hdf5::FileWriter file = hdf5::FileWriter::create(path("old.h5"));
    file.write_string("", "format", "quadgate-checkpoint");
    file.write_int("", "format_version", 1);
    file.create_group("model");
    file.write_string("model", "cell", "lstm");
    file.write_string("model", "task", "regression");
    file.write_double("model", "dropout", 0);
    for (const char* name :
         {"input_size", "hidden_size", "num_layers", "bidirectional", "output_size"}) {
      file.write_int("model", name, 1);
    }
    file.create_group("training");
    for (const char* name : {"epoch", "batch", "step", "seed", "running_correct"}) {
      file.write_int("training", name, 0);
    }
    file.write_int("training", "running_items", 8);
    file.write_double("training", "running_loss", 2.5);
    file.write_double("training", "running_absolute_error", 1);
    file.write_string("training", "last_metrics", "");
    file.write_string("training", "run_file", "");
    return file;
  }
};

TEST_F(OldCheckpointTest, IsReadAsBefore) {
  hdf5::FileWriter file = old_file();
  replace_file(path("old.h5"), file.image());
  const Checkpoint checkpoint(path("old.h5"));
  const ModelConfig config = checkpoint.description().config;
  EXPECT_EQ(config.pooling, Pooling::last);
  EXPECT_EQ(config.loss, LossConfig{});
  EXPECT_FALSE(config.conv);
  EXPECT_FALSE(config.rnn.has_dropout() || config.rnn.locked_dropout);
  const Metrics running = checkpoint.training_state().running;
  EXPECT_EQ(running.weight, 8);
  EXPECT_EQ(running.squared_error, 2.5);
}

TEST_F(OldCheckpointTest, NamesUnknownPoolingsLossesAndNormalizations) {
  for (const auto& [name, found, message] :
       {std::tuple("pooling", "sum", "expected last, mean or max, found 'sum'"),
        std::tuple(
            "loss", "hinge",
            "expected cross_entropy, mse, mae, huber, bce, pinball, gaussian or student_t, found "
            "'hinge'"),
        std::tuple("normalize", "batch", "expected none, last or instance, found 'batch'"),
        std::tuple(
            "loss", "cross_entropy",
            "loss: expected mse, mae, huber, bce, pinball, gaussian or student_t for regression, "
            "found cross_entropy")}) {
    hdf5::FileWriter file = old_file();
    file.write_string("model", name, found);
    replace_file(path("old.h5"), file.image());
    EXPECT_THAT(message_of<FileError>([&] { Checkpoint(path("old.h5")).description(); }),
                EndsWith(message));
  }
}

}  // namespace
}  // namespace quadgate
