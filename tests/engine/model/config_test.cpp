// Sweeps every field of the model's and the optimizer's settings over its range's ends and what
// lies beyond. No tolerance: a setting is taken or refused, with the field's name in the message.

#include "engine/model/config.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <limits>

#include "engine/base/error.h"

namespace quadgate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename Config>
void expect_refused(const Config& config, const std::string& field, const std::string& rest = "") {
  try {
    validate(config);
    ADD_FAILURE() << field << " was taken";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), ::testing::StartsWith(field + ": expected " + rest));
    EXPECT_THAT(error.what(), ::testing::HasSubstr("found"));
  }
}

ModelConfig small_model() { return {.rnn = {.input_size = 1, .hidden_size = 1}, .output_size = 1}; }

TEST(TaskTest, HasTheNameOfFiles) {
  EXPECT_STREQ(to_string(Task::classification), "classification");
  EXPECT_STREQ(to_string(Task::tagging), "tagging");
  EXPECT_STREQ(to_string(Task::regression), "regression");
}

TEST(PoolingConfigTest, HasTheNameOfFilesAndIsNotForTags) {
  for (const Pooling pooling : {Pooling::last, Pooling::mean, Pooling::max}) {
    EXPECT_EQ(parse_pooling(to_string(pooling)), pooling);
  }
  EXPECT_EQ(parse_pooling("sum"), std::nullopt);
  ModelConfig model = small_model();
  model.pooling = Pooling::mean;
  EXPECT_NO_THROW(validate(model));
  model.task = Task::tagging;
  expect_refused(model, "pooling", "last for tagging and language models, found mean");
}

TEST(CellTest, HasTheNameOfFilesAndPyTorchsGates) {
  for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu}) {
    EXPECT_EQ(parse_cell(to_string(cell)), cell);
  }
  EXPECT_EQ(to_string(Cell::rnn_tanh), "rnn_tanh");
  EXPECT_EQ(parse_cell("GRU"), std::nullopt);
  EXPECT_EQ(num_gates(Cell::lstm), 4);
  EXPECT_EQ(num_gates(Cell::gru), 3);
  EXPECT_EQ(num_gates(Cell::rnn_tanh), 1);
  EXPECT_EQ(num_gates(Cell::rnn_relu), 1);
}

TEST(LstmConfigTest, ProjectsAnLstmToFewerFeatures) {
  ModelConfig model = small_model();
  model.rnn.hidden_size = 5;
  model.rnn.bidirectional = true;
  model.rnn.proj_size = 3;
  EXPECT_NO_THROW(validate(model));
  EXPECT_EQ(model.rnn.h_size(), 3);
  EXPECT_EQ(model.rnn.output_size(), 6);
  for (const std::int64_t wrong : {-1, 5, 6}) {
    model.rnn.proj_size = wrong;
    expect_refused(model, "proj_size",
                   "0 to 4 with hidden_size 5 and cell lstm, found " + std::to_string(wrong));
  }
  model.rnn.cell = Cell::gru;
  model.rnn.proj_size = 3;
  expect_refused(model, "proj_size", "0 with hidden_size 5 and cell gru, found 3");
}

TEST(LstmConfigTest, DerivesSizes) {
  RecurrentConfig config{.input_size = 3, .hidden_size = 5, .num_layers = 2};
  EXPECT_EQ(config.num_directions(), 1);
  EXPECT_EQ(config.output_size(), 5);
  EXPECT_EQ(config.layer_input_size(0), 3);
  EXPECT_EQ(config.layer_input_size(1), 5);
  config.bidirectional = true;
  EXPECT_EQ(config.num_directions(), 2);
  EXPECT_EQ(config.output_size(), 10);
  EXPECT_EQ(config.layer_input_size(0), 3);
  EXPECT_EQ(config.layer_input_size(1), 10);
}

TEST(ModelConfigTest, TakesTheSmallestModel) {
  EXPECT_NO_THROW(validate(small_model()));
  auto config = small_model();
  config.rnn.dropout = 0.999;
  EXPECT_NO_THROW(validate(config));
}

constexpr std::int64_t kNoSizes[] = {0, -1, std::int64_t{1} << 31,
                                     std::numeric_limits<std::int64_t>::max()};

TEST(ModelConfigTest, RefusesSizesBelowOneAndAbove31Bits) {
  for (const std::int64_t size : kNoSizes) {
    auto config = small_model();
    config.rnn.input_size = size;
    expect_refused(config, "input_size");
    config = small_model();
    config.rnn.hidden_size = size;
    expect_refused(config, "hidden_size");
    config = small_model();
    config.rnn.num_layers = size;
    expect_refused(config, "num_layers");
    config = small_model();
    config.output_size = size;
    expect_refused(config, "output_size");
  }
}

TEST(ModelConfigTest, RefusesDropoutThatIsNoProbabilityBelowOne) {
  for (const double dropout : {-0.1, 1.0, kNan, kInfinity}) {
    auto config = small_model();
    config.rnn.dropout = dropout;
    expect_refused(config, "dropout");
    config = small_model();
    config.rnn.input_dropout = dropout;
    expect_refused(config, "input_dropout");
    config = small_model();
    config.rnn.output_dropout = dropout;
    expect_refused(config, "output_dropout");
    config = small_model();
    config.rnn.weight_dropout = dropout;
    expect_refused(config, "weight_dropout");
  }
}

TEST(ModelConfigTest, RefusesAConvolutionThatIsNone) {
  ModelConfig good = small_model();
  good.rnn.input_size = 4;
  good.conv = ConvConfig{.input_size = 1, .channels = 4, .kernel_size = 3, .padding = 2};
  EXPECT_NO_THROW(validate(good));
  EXPECT_EQ(good.input_size(), 1);
  EXPECT_EQ(good.recurrent_length(5), 7);
  const auto expect_field_refused = [&](std::int64_t ConvConfig::*field, std::int64_t value,
                                        const std::string& name) {
    ModelConfig config = good;
    (*config.conv).*field = value;
    expect_refused(config, name);
  };
  for (const std::int64_t size : kNoSizes) {
    expect_field_refused(&ConvConfig::input_size, size, "conv.input_size");
    expect_field_refused(&ConvConfig::channels, size, "conv.channels");
    expect_field_refused(&ConvConfig::kernel_size, size, "conv.kernel_size");
    expect_field_refused(&ConvConfig::pool_size, size, "conv.pool_size");
  }
  expect_field_refused(&ConvConfig::padding, -1, "conv.padding");
  expect_field_refused(&ConvConfig::padding, 3, "conv.padding");
  expect_field_refused(&ConvConfig::channels, 5, "input_size");
}

TEST(ModelConfigTest, TagsNeedAConvolutionThatKeepsTheSteps) {
  ModelConfig config = small_model();
  config.task = Task::tagging;
  config.conv = ConvConfig{.input_size = 1, .channels = 1, .kernel_size = 3, .padding = 1};
  EXPECT_NO_THROW(validate(config));
  config.conv->padding = 0;
  expect_refused(config, "conv");
  config.conv->padding = 1;
  config.conv->pool_size = 2;
  expect_refused(config, "conv");
}

TEST(OptimizerConfigTest, HasPyTorchsDefaults) {
  const OptimizerConfig config;
  EXPECT_NO_THROW(validate(config));
  EXPECT_EQ(config.lr, 1e-3);
  EXPECT_EQ(config.betas, (std::array{0.9, 0.999}));
  EXPECT_EQ(config.eps, 1e-8);
  EXPECT_EQ(config.weight_decay, 0);
  EXPECT_EQ(config.momentum, 0);
  EXPECT_FALSE(config.clip_norm);
}

/// The default settings, but for one field.
template <typename Field, typename Value>
OptimizerConfig optimizer_with(Field OptimizerConfig::*field, Value value) {
  OptimizerConfig config;
  config.*field = value;
  return config;
}

TEST(OptimizerConfigTest, RefusesNumbersOutOfRange) {
  for (const double value : {-1e-3, kNan, kInfinity}) {
    expect_refused(optimizer_with(&OptimizerConfig::lr, value), "lr");
    expect_refused(optimizer_with(&OptimizerConfig::momentum, value), "momentum");
    expect_refused(optimizer_with(&OptimizerConfig::betas, std::array{value, 0.5}), "betas");
    expect_refused(optimizer_with(&OptimizerConfig::betas, std::array{0.5, value}), "betas");
    expect_refused(optimizer_with(&OptimizerConfig::alpha, value), "alpha");
    expect_refused(optimizer_with(&OptimizerConfig::eps, value), "eps");
    expect_refused(optimizer_with(&OptimizerConfig::weight_decay, value), "weight_decay");
    expect_refused(optimizer_with(&OptimizerConfig::clip_norm, value), "clip_norm");
  }
  expect_refused(optimizer_with(&OptimizerConfig::betas, std::array{1.0, 0.5}), "betas");
  expect_refused(optimizer_with(&OptimizerConfig::betas, std::array{0.5, 1.0}), "betas");
  expect_refused(optimizer_with(&OptimizerConfig::alpha, 1), "alpha");
  expect_refused(optimizer_with(&OptimizerConfig::accumulate_steps, 0), "accumulate_steps");
  expect_refused(optimizer_with(&OptimizerConfig::accumulate_steps, -1), "accumulate_steps");
  expect_refused(optimizer_with(&OptimizerConfig::nesterov, true), "momentum");
  expect_refused(optimizer_with(&OptimizerConfig::clip_norm, 0), "clip_norm");
}

TEST(OptimizerConfigTest, TakesTheEndsOfTheRanges) {
  for (const auto field :
       {&OptimizerConfig::lr, &OptimizerConfig::momentum, &OptimizerConfig::alpha,
        &OptimizerConfig::eps, &OptimizerConfig::weight_decay}) {
    EXPECT_NO_THROW(validate(optimizer_with(field, 0)));
  }
  EXPECT_NO_THROW(validate(optimizer_with(&OptimizerConfig::betas, std::array{0.0, 0.0})));
}

TEST(OptimizerConfigTest, EachOptimizerHasPyTorchsDefaults) {
  using Kind = OptimizerConfig::Kind;
  EXPECT_EQ(pytorch_defaults(Kind::sgd).lr, 1e-3);
  EXPECT_EQ(pytorch_defaults(Kind::adam).weight_decay, 0);
  EXPECT_EQ(pytorch_defaults(Kind::adamw).weight_decay, 1e-2);
  EXPECT_EQ(pytorch_defaults(Kind::adamw).lr, 1e-3);
  EXPECT_EQ(pytorch_defaults(Kind::rmsprop).lr, 1e-2);
  EXPECT_EQ(pytorch_defaults(Kind::rmsprop).alpha, 0.99);
  for (const Kind kind : {Kind::sgd, Kind::adam, Kind::adamw, Kind::rmsprop}) {
    EXPECT_EQ(parse_optimizer(to_string(kind)), kind);
    EXPECT_EQ(pytorch_defaults(kind).kind, kind);
  }
  EXPECT_FALSE(parse_optimizer("adagrad"));
}

}  // namespace
}  // namespace quadgate
