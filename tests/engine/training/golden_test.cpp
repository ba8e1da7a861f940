// Sweeps PyTorch 2.13's LSTM forward and backward (the classic nn.LSTM(5, 6, 2), two directions,
// two layers, packed rows), ten-step training runs of every cell, LSTMs on both backends, and 20
// steps of every optimizer, from files of golden/make_golden.py. Tolerance: 1e-5 of the largest
// element for the optimizers, 1e-5 of a tensor's largest element for the LSTM and
// 1e-5 of a loss; 1e-4 absolute for weights after ten steps, as Adam divides small gradients with
// their rounding by themselves.

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "engine/training/trainer.h"
#include "io/hdf5/file.h"
#include "tests/support/backends.h"
#include "tests/support/engine_lstm.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::relative_error;

hdf5::File golden_file(const std::string& name) {
  return hdf5::File::open(paths::in_source("tests/golden/") + name);
}

template <typename T = float>
std::vector<T> golden(const hdf5::File& file, const std::string& name) {
  const auto array = file.array(name);
  std::vector<T> values(static_cast<std::size_t>(array.size()));
  array.read(0, array.shape()[0], std::span(values));
  return values;
}

std::vector<double> read_doubles(const hdf5::File& file, const std::string& name) {
  const auto values = golden(file, name);
  return {values.begin(), values.end()};
}

RecurrentConfig lstm_config(const hdf5::File& file, const std::string& group,
                            const std::string& prefix) {
  return {.input_size = file.array(prefix + "weight_ih_l0").shape()[1],
          .hidden_size = file.array(prefix + "weight_hh_l0").shape()[1],
          .num_layers = file.read_int(group, "num_layers"),
          .bidirectional = file.read_int(group, "bidirectional") != 0};
}

/// Tensors of a group; those of gradients begin with `prefix` "d_".
testing::LstmInputs<double> read_inputs(const hdf5::File& file, const std::string& group,
                                        const RecurrentConfig& config, const std::string& prefix) {
  const std::string start = group + "/" + prefix;
  testing::LstmInputs<double> inputs{read_doubles(file, start + "x"),
                                     read_doubles(file, start + "h0"),
                                     read_doubles(file, start + "c0"),
                                     {}};
  for (std::int64_t layer = 0; layer < config.num_layers; ++layer) {
    for (std::int64_t direction = 0; direction < config.num_directions(); ++direction) {
      const std::string suffix = "_l" + std::to_string(layer) + (direction == 0 ? "" : "_reverse");
      inputs.directions.push_back({read_doubles(file, start + "weight_ih" + suffix),
                                   read_doubles(file, start + "weight_hh" + suffix),
                                   read_doubles(file, start + "bias_ih" + suffix),
                                   read_doubles(file, start + "bias_hh" + suffix)});
    }
  }
  return inputs;
}

testing::LstmOutputs<double> read_outputs(const hdf5::File& file, const std::string& group,
                                          const std::string& prefix) {
  const std::string start = group + "/" + prefix;
  return {read_doubles(file, start + "output"), read_doubles(file, start + "h_n"),
          read_doubles(file, start + "c_n")};
}

class GoldenLstmTest : public ::testing::TestWithParam<const char*> {
 protected:
  hdf5::File file_ = golden_file("lstm.h5");
  std::string group_ = GetParam();
  RecurrentConfig config_ = lstm_config(file_, group_, group_ + "/");
  std::vector<std::int64_t> lengths_ = golden<std::int64_t>(file_, group_ + "/lengths");
  std::int64_t seq_len_ = file_.array(group_ + "/x").shape()[0];
  bool full_ = std::ranges::all_of(lengths_, [&](auto length) { return length == seq_len_; });
  testing::LstmInputs<double> inputs_ = read_inputs(file_, group_, config_, "");
  testing::LstmOutputs<double> outputs_ = read_outputs(file_, group_, "");
  testing::LstmInputs<double> d_inputs_ = read_inputs(file_, group_, config_, "d_");
  testing::LstmOutputs<double> d_outputs_ = read_outputs(file_, group_, "d_");
};

TEST_P(GoldenLstmTest, TheEngineHasPyTorchsNumbers) {
  testing::EngineLstm lstm(config_, seq_len_, lengths_);
  auto outputs = lstm.forward(inputs_);
  const auto width = static_cast<std::size_t>(config_.output_size());
  for (std::size_t i = 0; i < outputs.output.size(); ++i) {
    const std::size_t step = i / width;
    const bool padding =
        std::cmp_greater_equal(step / lengths_.size(), lengths_[step % lengths_.size()]);
    if (padding) outputs.output[i] = 0;  // without meaning in the engine, 0 in PyTorch
  }
  EXPECT_LE(relative_error(outputs.output, outputs_.output), 1e-5);
  if (full_) {
    EXPECT_LE(relative_error(outputs.h_n, outputs_.h_n), 1e-5);
    EXPECT_LE(relative_error(outputs.c_n, outputs_.c_n), 1e-5);
  }
  auto d_inputs = lstm.backward(d_outputs_);
  const auto actual = d_inputs.tensors();
  const auto expected = d_inputs_.tensors();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(relative_error(*actual[i].second, *expected[i].second), 1e-5) << actual[i].first;
  }
}

TEST_P(GoldenLstmTest, TheReferenceHasPyTorchsNumbers) {
  const testing::LstmReference<double> reference(config_, seq_len_, lengths_, inputs_);
  EXPECT_LE(relative_error(reference.outputs().output, outputs_.output), 1e-6);
  EXPECT_LE(relative_error(reference.outputs().h_n, outputs_.h_n), 1e-6);
  EXPECT_LE(relative_error(reference.outputs().c_n, outputs_.c_n), 1e-6);
  auto d_inputs = reference.backward(d_outputs_);
  const auto actual = d_inputs.tensors();
  const auto expected = d_inputs_.tensors();
  for (std::size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(relative_error(*actual[i].second, *expected[i].second), 2e-6) << actual[i].first;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenLstmTest,
                         ::testing::Values("classic", "one_layer", "two_bidirectional_layers",
                                           "packed", "packed_bidirectional"),
                         [](const auto& test) { return std::string(test.param); });

TEST(GoldenClassicTest, HasTheShapesOfTheDocumentation) {
  const auto file = golden_file("lstm.h5");
  EXPECT_THAT(file.array("classic/x").shape(), ElementsAre(1, 3, 5));
  EXPECT_THAT(file.array("classic/h0").shape(), ElementsAre(2, 3, 6));
  EXPECT_THAT(file.array("classic/output").shape(), ElementsAre(1, 3, 6));
  EXPECT_THAT(file.array("classic/h_n").shape(), ElementsAre(2, 3, 6));
  const auto inputs = read_inputs(file, "classic", lstm_config(file, "classic", "classic/"), "");
  testing::EngineLstm lstm({.input_size = 5, .hidden_size = 6, .num_layers = 2}, 1, {1, 1, 1});
  const auto outputs = lstm.forward(inputs);
  EXPECT_EQ(outputs.output.size(), 1 * 3 * 6);
  EXPECT_EQ(outputs.h_n.size(), 2 * 3 * 6);
  EXPECT_EQ(outputs.c_n.size(), 2 * 3 * 6);
}

class GoldenCurveTest : public ::testing::TestWithParam<std::tuple<const char*, BackendKind>> {
 protected:
  ModelConfig model_config() const {
    const std::string task = file_.read_string(group_, "task");
    auto rnn = lstm_config(file_, group_, group_ + "/start/rnn.");
    rnn.cell = parse_cell(file_.read_string(group_, "cell")).value();
    return {.rnn = rnn,
            .task = task == "tagging"      ? Task::tagging
                    : task == "regression" ? Task::regression
                                           : Task::classification,
            .output_size = file_.array(group_ + "/start/head.bias").size()};
  }
  OptimizerConfig optimizer_config() const {
    OptimizerConfig config;
    config.kind = parse_optimizer(file_.read_string(group_, "optimizer")).value();
    const auto set = [&](const char* name, auto& field) {
      if (file_.has_attribute(group_, name)) field = file_.read_double(group_, name);
    };
    set("lr", config.lr);
    set("momentum", config.momentum);
    set("beta1", config.betas[0]);
    set("beta2", config.betas[1]);
    set("eps", config.eps);
    set("weight_decay", config.weight_decay);
    set("clip_norm", config.clip_norm);
    return config;
  }
  /// Rows first to last, last not included.
  Batch batch(const ModelConfig& config, std::size_t first, std::size_t last) const {
    const auto lengths = golden<std::int64_t>(file_, group_ + "/lengths");
    const auto cut = [](auto& to, const auto& from, std::int64_t begin, std::int64_t end) {
      to.assign(from.begin() + begin, from.begin() + end);
    };
    std::int64_t start = 0;
    for (std::size_t row = 0; row < first; ++row) start += lengths[row];
    Batch batch;
    batch.offsets = {0};
    for (std::size_t row = first; row < last; ++row) {
      batch.offsets.push_back(batch.offsets.back() + lengths[row]);
    }
    const std::int64_t end = start + batch.offsets.back();
    cut(batch.x, golden(file_, group_ + "/x"), start * config.rnn.input_size,
        end * config.rnn.input_size);
    const auto from = static_cast<std::int64_t>(first);
    const auto to = static_cast<std::int64_t>(last);
    if (config.task == Task::regression) {
      cut(batch.targets, golden(file_, group_ + "/targets"), from * config.output_size,
          to * config.output_size);
    } else {
      const bool tagging = config.task == Task::tagging;
      cut(batch.labels, golden<std::int64_t>(file_, group_ + "/labels"), tagging ? start : from,
          tagging ? end : to);
    }
    return batch;
  }

  hdf5::File file_ = golden_file("curves.h5");
  std::string group_ = std::get<0>(GetParam());
};

TEST_P(GoldenCurveTest, TenStepsHavePyTorchsLossesAndWeights) {
  const ModelConfig config = model_config();
  Arena arena(2);
  Network network(config, 6, 6, arena, {.backend = std::get<1>(GetParam())});
  Parameters& parameters = network.parameters();
  {
    ParameterEditor editor = parameters.edit();
    for (const auto& slice : parameters.slices()) {
      std::ranges::copy(golden(file_, group_ + "/start/" + slice.name),
                        editor.value(slice).begin());
    }
  }
  Trainer trainer(network, optimizer_config(), 1);
  const auto losses = golden(file_, group_ + "/losses");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const auto rows = step % 2 == 0 ? batch(config, 0, 6) : batch(config, 6, 10);
    EXPECT_NEAR(trainer.step(rows).mean_loss(), losses[step], 1e-5 * losses[step]) << step;
  }
  for (const auto& slice : parameters.slices()) {
    const auto expected = golden(file_, group_ + "/end/" + slice.name);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(parameters.value(slice)[i], expected[i], 1e-4) << slice.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Runs, GoldenCurveTest,
    ::testing::Combine(::testing::Values("classification_sgd", "classification_adam",
                                         "classification_adamw", "regression_sgd", "tagging_adam"),
                       testing::both_backends()),
    [](const auto& test) {
      return testing::with_backend(std::get<0>(test.param), std::get<1>(test.param));
    });

INSTANTIATE_TEST_SUITE_P(
    CellRuns, GoldenCurveTest,
    ::testing::Combine(::testing::Values("gru_tagging", "gru_classification", "rnn_tanh_tagging",
                                         "rnn_tanh_classification", "rnn_relu_tagging",
                                         "rnn_relu_classification"),
                       testing::both_backends()),
    [](const auto& test) {
      return testing::with_backend(std::get<0>(test.param), std::get<1>(test.param));
    });

class GoldenOptimizerTest : public ::testing::TestWithParam<const char*> {
 protected:
  OptimizerConfig config() const {
    auto config = pytorch_defaults(parse_optimizer(file_.read_string(group_, "optimizer")).value());
    const auto set = [&](const char* name, auto& field) {
      if (file_.has_attribute(group_, name)) field = file_.read_double(group_, name);
    };
    set("lr", config.lr);
    set("momentum", config.momentum);
    set("alpha", config.alpha);
    set("eps", config.eps);
    set("weight_decay", config.weight_decay);
    if (file_.has_attribute(group_, "betas")) {
      const auto betas = file_.read_floats(group_, "betas");
      config.betas = {betas.at(0), betas.at(1)};
    }
    config.nesterov = file_.has_attribute(group_, "nesterov");
    config.centered = file_.has_attribute(group_, "centered");
    return config;
  }

  hdf5::File file_ = golden_file("optimizers.h5");
  std::string group_ = GetParam();
};

TEST_P(GoldenOptimizerTest, TwentyStepsHavePyTorchsValuesAndStates) {
  auto values = golden(file_, group_ + "/start");
  const auto gradients = golden(file_, group_ + "/gradients");
  Arena arena(1);
  Optimizer optimizer(config(), values.size());
  for (auto step = gradients.begin(); step != gradients.end();) {
    const auto end = step + static_cast<std::ptrdiff_t>(values.size());
    optimizer.step(arena, values, {.values = std::span(step, end)});
    step = end;
  }
  EXPECT_EQ(optimizer.steps(), 20);
  EXPECT_LE(relative_error(values, read_doubles(file_, group_ + "/end")), 1e-5);
  const auto names = file_.members(group_ + "/states");
  ASSERT_EQ(optimizer.states().size(), names.size());
  for (const auto& state : optimizer.states()) {
    const auto expected = read_doubles(file_, group_ + "/states/" + std::string(state.name));
    EXPECT_LE(relative_error(state.array.span(), expected), 1e-5) << state.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, GoldenOptimizerTest,
                         ::testing::Values("sgd", "sgd_momentum", "sgd_nesterov", "adam_defaults",
                                           "adam", "adamw_defaults", "adamw", "rmsprop_defaults",
                                           "rmsprop", "rmsprop_centered",
                                           "rmsprop_centered_momentum"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace quadgate
