// Sweeps: models of every kind and every optimizer, there and back; failing writes.
// Tolerance: none, files hold the same bits.

#include "io/model/checkpoint.h"

#include <string>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/model/checkpoint_fixture.h"
#include "tests/io/processes.h"
#include "tests/support/bytes_read.h"

namespace quadgate {
namespace {

using testing::CheckpointTest;
using testing::content_of;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::files_beside;
using testing::kForecaster;
using testing::kModel;
using testing::kTagger;
using testing::message_of;
using testing::same;
using ::testing::SizeIs;
using testing::some_state;

TEST_F(CheckpointTest, KeepsModels) {
  ModelDescription projected = kModel;
  projected.config.rnn.proj_size = 4;
  projected.config.rnn.bias = false;
  ModelDescription tied = kTagger;
  tied.config.rnn.hidden_size = 3;
  tied.config.embedding.tie_weights = true;
  tied.data.streams = Streams{.count = 4, .bptt_len = 35};
  ModelDescription weighed = kModel;
  weighed.config.pooling = Pooling::max;
  weighed.config.loss = {.kind = LossKind::cross_entropy,
                         .label_smoothing = 0.1,
                         .class_weights = {0.1F, 2},
                         .ignore_index = 255};
  ModelDescription robust = kForecaster;
  robust.config.pooling = Pooling::mean;
  robust.config.loss = {.kind = LossKind::huber, .huber_delta = 0.3};
  ModelDescription convolved = kForecaster;
  convolved.config.rnn.input_size = 7;
  convolved.config.conv =
      ConvConfig{.input_size = 2, .channels = 7, .kernel_size = 4, .padding = 3, .pool_size = 2};
  ModelDescription leveled = kForecaster;
  leveled.config.normalization = {.kind = Normalize::last, .columns = {1}};
  ModelDescription instance = convolved;
  instance.config.normalization = {.kind = Normalize::instance, .columns = {1}};
  ModelDescription residual = kForecaster;
  residual.config.normalization = {.residual = true, .columns = {1}};
  ModelDescription crf = kTagger;
  crf.config.crf = true;
  crf.data.tag_column = "LEMMA";
  ModelDescription quantiles = kForecaster;
  quantiles.config.output_size = 18;
  quantiles.config.loss = {.kind = LossKind::pinball, .quantiles = {0.1F, 0.5F, 0.9F}};
  ModelDescription student = leveled;
  student.config.output_size = 18;
  student.config.loss = {.kind = LossKind::student_t};
  for (const ModelDescription& model :
       {quantiles, student, kModel, kForecaster, kTagger, tied, projected, weighed, robust,
        convolved, leveled, instance, residual, crf}) {
    const Parameters saved = parameters(model, 1);
    save_model(path("model.h5"), model, saved, 7);
    const Checkpoint checkpoint(path("model.h5"));
    EXPECT_EQ(checkpoint.description(), model);
    EXPECT_EQ(checkpoint.epoch(), 7);
    // Programs of version 1 would leave a normalization out.
    EXPECT_EQ(hdf5::File::open(path("model.h5")).read_int("", "format_version"),
              model.config.normalization.is_on() || model.config.crf ? 2 : 1);
    EXPECT_FALSE(checkpoint.has_training());
    Parameters loaded(model.config);
    checkpoint.load_parameters(loaded);
    EXPECT_TRUE(same(loaded.values(), saved.values()));
  }
}

TEST_F(CheckpointTest, ATiedWeightHasBothOfPyTorchsNames) {
  ModelDescription model = kTagger;
  model.config.rnn.hidden_size = 3;
  save_model(path("untied.h5"), model, parameters(model, 1));
  model.config.embedding.tie_weights = true;
  save_model(path("tied.h5"), model, parameters(model, 1));
  const auto file = hdf5::File::open(path("tied.h5"));
  EXPECT_EQ(file.array("state_dict/head.weight").shape(), (std::vector<std::int64_t>{2, 3}));
  Parameters tied(model.config);
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint(path("untied.h5")).load_parameters(tied); }),
              EndsWith("'state_dict/head.weight': expected the values of embedding.weight, for "
                       "tie_weights"));
}

TEST_F(CheckpointTest, KeepsTheStateOfEveryOptimizer) {
  const Parameters weights = parameters(kModel, 1);
  for (const auto kind : {OptimizerConfig::Kind::sgd, OptimizerConfig::Kind::adam,
                          OptimizerConfig::Kind::adamw, OptimizerConfig::Kind::rmsprop}) {
    const Optimizer saved = optimizer(kind, weights);
    save_checkpoint(path("checkpoint.h5"), kModel, weights, saved, some_state());
    const Checkpoint checkpoint(path("checkpoint.h5"));
    EXPECT_TRUE(checkpoint.has_training());

    Optimizer loaded(saved.config(), weights.values().size());
    checkpoint.load_optimizer(weights, loaded);
    const TrainingState state = checkpoint.training_state();
    EXPECT_EQ(loaded.steps(), 1234);
    ASSERT_EQ(loaded.states().size(), saved.states().size());
    for (std::size_t i = 0; i < saved.states().size(); ++i) {
      EXPECT_TRUE(same(loaded.states()[i].array.span(), saved.states()[i].array.span()));
    }
    EXPECT_EQ(state.epoch, 3);
    EXPECT_EQ(state.batch, 17);
    EXPECT_EQ(state.step, 1234);
    EXPECT_EQ(state.seed, 0xFEDC'BA98'7654'3210);
    EXPECT_EQ(state.data, some_state().data);
    EXPECT_EQ(state.best_metric, 0.875);
    EXPECT_EQ(state.best_loss, 0.375);
    EXPECT_EQ(state.best_epoch, 2);
    EXPECT_EQ(state.running.items, 544);
    EXPECT_EQ(state.running.loss, 12.5);
    EXPECT_EQ(state.running.weight, 543.5);
    EXPECT_EQ(state.running.squared_error, 0.2);
    EXPECT_EQ(state.running.absolute_error, 0.1);
    EXPECT_EQ(state.running.correct, 400);
    EXPECT_EQ(state.schedule, some_state().schedule);
    EXPECT_EQ(state.early_stopping, some_state().early_stopping);
    EXPECT_EQ(state.last_metrics, some_state().last_metrics);
    EXPECT_EQ(state.run_file, some_state().run_file);
  }
}

TEST_F(CheckpointTest, NamesTensorsAsPyTorchDoes) {
  save_model(path("model.h5"), kForecaster, parameters(kForecaster, 1));
  const hdf5::File file = hdf5::File::open(path("model.h5"));
  EXPECT_THAT(file.members("state_dict"),
              ElementsAre("head.bias", "head.weight", "rnn.bias_hh_l0", "rnn.bias_ih_l0",
                          "rnn.weight_hh_l0", "rnn.weight_ih_l0"));
  EXPECT_THAT(file.array("state_dict/rnn.weight_ih_l0").shape(), ElementsAre(12, 2));
}

TEST_F(CheckpointTest, KeepsThePreviousOne) {
  save(1);
  const std::string first = content_of(path("checkpoint.h5"));
  EXPECT_THAT(files_beside(path("checkpoint.h5")), ElementsAre("checkpoint.h5"));
  save(2);
  EXPECT_EQ(content_of(path("checkpoint.prev.h5")), first);
  EXPECT_NE(content_of(path("checkpoint.h5")), first);
  EXPECT_THAT(files_beside(path("checkpoint.h5")),
              ElementsAre("checkpoint.h5", "checkpoint.prev.h5"));
}

/// How often this process has the file open.
std::int64_t times_open(const std::filesystem::path& path) {
  std::error_code ignored;  // of the descriptor that lists them
  return std::ranges::count_if(
      std::filesystem::directory_iterator("/proc/self/fd"),
      [&](const auto& entry) { return std::filesystem::read_symlink(entry, ignored) == path; });
}

TEST_F(CheckpointTest, IsOpenedAndSummedOnce) {
  ModelDescription large = kModel;
  large.config.rnn.hidden_size = 100;
  const Parameters weights = parameters(large, 1);
  save_checkpoint(path("checkpoint.h5"), large, weights,
                  optimizer(OptimizerConfig::Kind::adam, weights), some_state());
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(path("checkpoint.h5")));

  const std::int64_t before = bytes_read();
  if (before == 0) GTEST_SKIP() << "SKIPPED: this system does not count what a process reads";
  {
    const Checkpoint checkpoint = open_whole_checkpoint(path("checkpoint.h5")).checkpoint;
    Parameters loaded(checkpoint.description().config);
    Optimizer adam({.kind = OptimizerConfig::Kind::adam, .clip_norm = {}}, loaded.values().size());
    checkpoint.load_parameters(loaded);
    checkpoint.load_optimizer(loaded, adam);
    EXPECT_TRUE(checkpoint.has_training() && checkpoint.has_head());
    EXPECT_EQ(checkpoint.training_state().epoch, 3);
    EXPECT_EQ(times_open(path("checkpoint.h5")), 1);
    EXPECT_THAT(testing::children(), SizeIs(1));
  }
  // Once for the checksum, by the process that has ended now, and once for its values.
  EXPECT_GT(bytes_read() - before, 3 * size / 2);
  EXPECT_LT(bytes_read() - before, 2 * size + size / 2);
}

TEST_F(CheckpointTest, SurvivesAFailingWrite) {
  save(1);
  const std::string before = content_of(path("checkpoint.h5"));
  std::filesystem::create_directories(path("checkpoint.prev.h5/full"));
  EXPECT_THROW(save(2), FileError);
  EXPECT_EQ(content_of(path("checkpoint.h5")), before);
  EXPECT_THAT(files_beside(path("checkpoint.h5")),
              ElementsAre("checkpoint.h5", "checkpoint.prev.h5"));
}

}  // namespace
}  // namespace quadgate
