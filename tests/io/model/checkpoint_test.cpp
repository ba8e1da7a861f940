// Sweeps: models of every kind and every optimizer, there and back; files that hold another model;
// bytes flipped all over a checkpoint; failing writes.
// Tolerance: none, files hold the same bits.

#include "io/model/checkpoint.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/files.h"
#include "tests/io/processes.h"
#include "tests/support/bytes_read.h"

namespace quadgate {
namespace {

using testing::content_of;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using testing::files_beside;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using ::testing::SizeIs;

const ModelDescription kModel{.config = {.rnn = {.input_size = 3,
                                                 .hidden_size = 5,
                                                 .num_layers = 2,
                                                 .bidirectional = true,
                                                 .dropout = 0.25},
                                         .task = Task::classification,
                                         .output_size = 2},
                              .data = {.feature_names = {"a", "b", "c"},
                                       .class_names = {"no", "yes"},
                                       .mean = {1, 2, 3},
                                       .std = {4, 5, 6},
                                       .window = {}}};

const ModelDescription kForecaster{
    .config = {.rnn = {.input_size = 2,
                       .hidden_size = 4,
                       .cell = Cell::gru,
                       .input_dropout = 0.125,
                       .output_dropout = 0.5,
                       .locked_dropout = true,
                       .weight_dropout = 0.75},
               .task = Task::regression,
               .output_size = 6},
    .data = {.feature_names = {"a", "b"},
             .class_names = {},
             .mean = {},
             .std = {},
             .window = Window{.input_len = 9, .horizon = 6, .stride = 2, .targets = {"b"}}}};

const ModelDescription kTagger{.config = {.rnn = {.input_size = 3, .hidden_size = 4},
                                          .task = Task::tagging,
                                          .output_size = 2,
                                          .embedding = {.vocabulary_size = 2, .padding_index = 1}},
                               .data = {.feature_names = {},
                                        .token_names = {"<unk>", "樹"},
                                        .class_names = {"no", "yes"},
                                        .mean = {},
                                        .std = {},
                                        .window = {}}};

TrainingState some_state() {
  return {.epoch = 3,
          .batch = 17,
          .step = 1234,
          .seed = 0xFEDC'BA98'7654'3210,
          .data = DataIdentity{100, 20, 0xFEDC'BA98'7654'3211},
          .best_metric = 0.875,
          .best_loss = 0.375,
          .best_epoch = 2,
          .running = {.items = 544,
                      .loss = 12.5,
                      .weight = 543.5,
                      .squared_error = 0.2,
                      .absolute_error = 0.1,
                      .correct = 400},
          .schedule = {.lr_scale = 0.25, .plateau = {.best = 0.5, .num_bad_epochs = 7}},
          .early_stopping = {.best = 0.75, .num_bad_epochs = 9},
          .last_metrics = R"({"epoch": 3})",
          .run_file = "[data]\npath = \"é.h5\"\n"};
}

class CheckpointTest : public testing::FolderTest {
 protected:
  static Parameters parameters(const ModelDescription& model, std::uint64_t seed) {
    Parameters made(model.config);
    made.initialize(seed);
    return made;
  }

  /// An optimizer after some steps, its state filled.
  static Optimizer optimizer(OptimizerConfig::Kind kind, const Parameters& parameters) {
    Optimizer made({.kind = kind, .momentum = 0.9, .centered = true, .clip_norm = {}},
                   parameters.values().size());
    made.set_steps(1234);
    float value = 0;
    for (Optimizer::State& state : made.states()) {
      for (const ParameterSlice& slice : parameters.slices()) {
        for (float& element : state.array.span().subspan(slice.offset, slice.size)) {
          element = value += 0.5F;
        }
      }
    }
    return made;
  }

  void save(std::uint64_t seed) const {
    const Parameters weights = parameters(kModel, seed);
    save_checkpoint(path("checkpoint.h5"), kModel, weights,
                    optimizer(OptimizerConfig::Kind::adam, weights), some_state());
  }
};

bool same(std::span<const float> a, std::span<const float> b) { return std::ranges::equal(a, b); }

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

TEST_F(CheckpointTest, NamesTensorsAsPyTorchDoes) {
  save_model(path("model.h5"), kForecaster, parameters(kForecaster, 1));
  const hdf5::File file = hdf5::File::open(path("model.h5"));
  EXPECT_THAT(file.members("state_dict"),
              ElementsAre("head.bias", "head.weight", "rnn.bias_hh_l0", "rnn.bias_ih_l0",
                          "rnn.weight_hh_l0", "rnn.weight_ih_l0"));
  EXPECT_THAT(file.array("state_dict/rnn.weight_ih_l0").shape(), ElementsAre(12, 2));
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

TEST_F(CheckpointTest, RecognisesDamageAndUsesThePreviousOne) {
  save(1);
  save(2);
  const auto newest = path("checkpoint.h5");
  WholeCheckpoint found = open_whole_checkpoint(newest);
  EXPECT_EQ(found.checkpoint.path(), newest);
  EXPECT_THAT(found.damage, IsEmpty());

  const std::string whole = content_of(newest);
  for (std::size_t offset = 600; offset < whole.size(); offset += 1999) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 1);
    file("checkpoint.h5", damaged);
    found = open_whole_checkpoint(newest);
    EXPECT_EQ(found.checkpoint.path(), path("checkpoint.prev.h5"));
    EXPECT_THAT(
        found.damage,
        EndsWith("checkpoint.h5: damaged, or changed by another program: the checksum differs"));
    EXPECT_THROW(Checkpoint{newest}, FileError);
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() - 1}) {
    file("checkpoint.h5", whole.substr(0, size));
    EXPECT_EQ(open_whole_checkpoint(newest).checkpoint.path(), path("checkpoint.prev.h5"));
  }
  std::filesystem::remove(newest);
  EXPECT_EQ(open_whole_checkpoint(newest).checkpoint.path(), path("checkpoint.prev.h5"));
  file("checkpoint.prev.h5", "damaged");
  EXPECT_THAT(message_of<FileError>([&] { open_whole_checkpoint(newest); }),
              EndsWith("checkpoint.h5: No such file or directory"));
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

// A file from here whose first bytes were cut off is an HDF5 file like any other.
TEST_F(CheckpointTest, RefusesAFileWhoseChecksumWasCutOff) {
  save(1);
  const std::string whole = content_of(path("checkpoint.h5"));
  ASSERT_TRUE(whole.starts_with("quadgate xxh3-64 "));
  const auto message = [&](const std::string& content) {
    file("cut.h5", content);
    return message_of<FileError>([&] { Checkpoint(path("cut.h5")); });
  };
  const std::string expected =
      "cut.h5: damaged, or changed by another program: its checksum is gone";
  EXPECT_THAT(message(whole.substr(512)), EndsWith(expected));
  EXPECT_THAT(message(std::string(512, '\0') + whole.substr(512)), EndsWith(expected));
  EXPECT_EQ(open_whole_checkpoint(path("checkpoint.h5")).damage, "");
}

// Any flipped byte gives an error or the same weights: never other weights, never a crash.
TEST_F(CheckpointTest, NeverLoadsOtherWeightsFromADamagedFile) {
  const Parameters weights = parameters(kForecaster, 1);
  save_model(path("model.h5"), kForecaster, weights);
  const std::string whole = content_of(path("model.h5"));
  for (std::size_t offset = 0; offset < whole.size(); offset += 37) {
    std::string damaged = whole;
    damaged[offset] = static_cast<char>(damaged[offset] ^ 0x10);
    file("damaged.h5", damaged);
    Parameters loaded(kForecaster.config);
    try {
      Checkpoint(path("damaged.h5")).load_parameters(loaded);
      EXPECT_TRUE(same(loaded.values(), weights.values())) << "byte " << offset;
    } catch (const FileError&) {
    }
  }
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
