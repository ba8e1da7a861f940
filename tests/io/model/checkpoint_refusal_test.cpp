// Sweeps: weights, training states and models that cannot be; files that hold another model.

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>

#include "engine/base/error.h"
#include "tests/io/model/checkpoint_fixture.h"

namespace quadgate {
namespace {

using testing::CheckpointTest;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::kForecaster;
using testing::kModel;
using testing::kTagger;
using testing::message_of;
using testing::same;
using testing::some_state;

TEST_F(CheckpointTest, RefusesWeightsThatAreNotFinite) {
  for (const float bad : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Parameters weights = parameters(kModel, 1);
    {
      ParameterEditor editor = weights.edit();
      editor.value(weights.slice("rnn.weight_hh_l1"))[7] = bad;
    }
    save_model(path("model.h5"), kModel, weights);
    EXPECT_THAT(message_of<FileError>([&] {
                  Parameters loaded(kModel.config);
                  Checkpoint(path("model.h5")).load_parameters(loaded);
                }),
                HasSubstr("model.h5: dataset 'state_dict/rnn.weight_hh_l1': expected finite "
                          "numbers, found " +
                          fmt::format("{}", bad) + " as number 7"));
  }
}

TEST_F(CheckpointTest, RefusesATrainingStateThatCannotBe) {
  const Parameters weights = parameters(kModel, 1);
  const auto expect_refused = [&](const char* attribute, const auto& spoil) {
    TrainingState state = some_state();
    spoil(state);
    save_checkpoint(path("checkpoint.h5"), kModel, weights,
                    optimizer(OptimizerConfig::Kind::sgd, weights), state);
    EXPECT_THAT(
        message_of<FileError>([&] { Checkpoint(path("checkpoint.h5")).training_state(); }),
        HasSubstr(fmt::format("checkpoint.h5: attribute 'training@{}': expected ", attribute)));
  };
  const double none = std::nan("");
  expect_refused("epoch", [](TrainingState& state) { state.epoch = -1; });
  expect_refused("batch", [](TrainingState& state) { state.batch = -1; });
  expect_refused("step", [](TrainingState& state) { state.step = -1; });
  expect_refused("running_items", [](TrainingState& state) { state.running.items = -544; });
  expect_refused("best_epoch", [](TrainingState& state) { state.best_epoch = 4; });
  expect_refused("best_loss", [](TrainingState& state) { state.best_loss = std::nan(""); });
  expect_refused("running_correct", [](TrainingState& state) { state.running.correct = 545; });
  expect_refused("running_loss", [&](TrainingState& state) { state.running.loss = none; });
  expect_refused("running_weight", [&](TrainingState& state) { state.running.weight = none; });
  expect_refused("lr_scale", [](TrainingState& state) { state.schedule.lr_scale = -1; });
  expect_refused("plateau_best", [&](TrainingState& state) { state.schedule.plateau.best = none; });
  expect_refused("early_stopping_num_bad_epochs",
                 [](TrainingState& state) { state.early_stopping.num_bad_epochs = -1; });
  expect_refused("data_train_rows",
                 [](TrainingState& state) { state.data = DataIdentity{.train_rows = -1}; });
  TrainingState state = some_state();
  state.carried.h = {1, std::nanf("")};
  save_checkpoint(path("checkpoint.h5"), kModel, weights,
                  optimizer(OptimizerConfig::Kind::sgd, weights), state);
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint(path("checkpoint.h5")).training_state(); }),
              HasSubstr("dataset 'training/carried_h': expected finite numbers"));
  Optimizer negative = optimizer(OptimizerConfig::Kind::sgd, weights);
  negative.set_steps(-1);
  save_checkpoint(path("checkpoint.h5"), kModel, weights, negative, some_state());
  EXPECT_THAT(message_of<FileError>(
                  [&] { Checkpoint(path("checkpoint.h5")).load_optimizer(weights, negative); }),
              HasSubstr("attribute 'optimizer@steps': expected at least 0, found -1"));
}

TEST_F(CheckpointTest, NamesAConvolutionThatIsNone) {
  ModelDescription model = kForecaster;
  model.config.conv = ConvConfig{.input_size = 5, .channels = 2, .kernel_size = 3};
  const Parameters weights = parameters(model, 1);
  save_model(path("model.h5"), model, weights);
  const hdf5::File file = hdf5::File::open(path("model.h5"));
  EXPECT_THAT(file.array("state_dict/conv.weight").shape(), ElementsAre(2, 5, 3));
  EXPECT_THAT(file.array("state_dict/conv.bias").shape(), ElementsAre(2));
  model.config.conv->padding = 3;
  save_model(path("bad.h5"), model, weights);
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint(path("bad.h5")).description(); }),
              EndsWith("bad.h5: model: conv.padding: expected at least 0 and below kernel_size 3, "
                       "found 3"));
}

TEST_F(CheckpointTest, NamesANormalizationThatIsNone) {
  ModelDescription model = kForecaster;
  model.config.normalization = {.kind = Normalize::last, .columns = {1}};
  const Parameters weights = parameters(model, 1);
  const auto error = [&] {
    save_model(path("model.h5"), model, weights);
    return message_of<FileError>([&] { Checkpoint(path("model.h5")).description(); });
  };
  model.data.window->targets = {"c"};
  EXPECT_THAT(error(), EndsWith("attribute 'model@target_names': targets: expected columns out of "
                                "a, b, found 'c'"));
  model.data.window->targets = {"b", "a"};
  model.config.output_size = 5;
  EXPECT_THAT(error(), EndsWith("model: normalize: expected 5 values in whole turns of targets "
                                "among 2 columns, found 2 targets"));
  model.data.window.reset();
  EXPECT_THAT(error(), EndsWith("attribute 'model@input_len': missing, for a normalization of "
                                "windows"));
}

TEST_F(CheckpointTest, NamesWhatHasTooFewNames) {
  const auto error = [&](const ModelDescription& model) {
    save_model(path("model.h5"), model, parameters(model, 1));
    return message_of<FileError>([&] { Checkpoint(path("model.h5")).description(); });
  };
  ModelDescription tokens = kTagger;
  tokens.data.token_names.pop_back();
  EXPECT_THAT(error(tokens), EndsWith("attribute 'model@token_names': expected 2 names, found 1"));
  ModelDescription classes = kModel;
  classes.data.class_names.clear();
  EXPECT_THAT(error(classes), EndsWith("attribute 'model@class_names': expected 2 names, found 0"));
}

TEST_F(CheckpointTest, NamesEveryTensorThatDiffers) {
  save_model(path("model.h5"), kModel, parameters(kModel, 1));
  ModelDescription other = kModel;
  other.config.rnn.bidirectional = false;
  other.config.rnn.num_layers = 3;
  Parameters loaded = parameters(other, 7);
  const Parameters before = parameters(other, 7);
  const std::string message =
      message_of<FileError>([&] { Checkpoint(path("model.h5")).load_parameters(loaded); });
  EXPECT_THAT(message, HasSubstr("model.h5: state_dict: "));
  EXPECT_THAT(message, HasSubstr("missing 'rnn.weight_ih_l2'"));
  EXPECT_THAT(message, HasSubstr("unexpected 'rnn.weight_hh_l0_reverse'"));
  EXPECT_THAT(message, HasSubstr("'head.weight' expected float32 [2, 5], found float32 [2, 10]"));
  EXPECT_TRUE(same(loaded.values(), before.values()));
}

TEST_F(CheckpointTest, NamesAnotherOptimizer) {
  save(1);
  const Parameters weights = parameters(kModel, 1);
  Optimizer sgd({.kind = OptimizerConfig::Kind::sgd, .clip_norm = {}}, weights.values().size());
  EXPECT_THAT(message_of<FileError>(
                  [&] { Checkpoint(path("checkpoint.h5")).load_optimizer(weights, sgd); }),
              EndsWith("attribute 'optimizer@kind': expected 'sgd', found 'adam'"));
}

TEST_F(CheckpointTest, NamesOtherFiles) {
  hdf5::FileWriter dataset = testing::new_dataset(path("data.h5"), "classification");
  testing::save(dataset);
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint{path("data.h5")}; }),
              EndsWith("attribute 'format': expected 'quadgate-checkpoint', found "
                       "'quadgate-dataset'"));
  save_model(path("model.h5"), kModel, parameters(kModel, 1));
  EXPECT_THAT(message_of<FileError>([&] { Checkpoint(path("model.h5")).training_state(); }),
              HasSubstr("model.h5: attribute 'training@epoch': missing"));
}

}  // namespace
}  // namespace quadgate
