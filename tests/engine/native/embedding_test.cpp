// Sweeps ten-step runs of PyTorch 2.13 on tokens from golden/make_embedding.py: SGD with a dense
// torch.nn.Embedding, Adam with sparse gradients (torch.optim.SparseAdam for the table), tagging
// and classification, one and two directions, with and without clipping and padding_index, tied to
// the head's weight or not.
// Tolerance: 1e-5 of a loss, norm or a gradient's largest element; 1e-4 absolute for weights after
// ten steps. The updates of single rows: 1e-6 of what the formula gives in double.

#include "engine/native/embedding.h"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "engine/training/trainer.h"
#include "io/hdf5/file.h"
#include "tests/support/batches.h"
#include "tests/support/paths.h"

namespace quadgate {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

template <typename T = float>
std::vector<T> read(const hdf5::File& file, const std::string& name) {
  const auto array = file.array(name);
  std::vector<T> values(static_cast<std::size_t>(array.size()));
  array.read(0, array.shape()[0], std::span(values));
  return values;
}

class GoldenEmbeddingTest : public ::testing::TestWithParam<const char*> {
 protected:
  ModelConfig model_config() const {
    ModelConfig config;
    const auto table = file_.array(group_ + "/start/embedding.weight").shape();
    config.embedding.vocabulary_size = table[0];
    if (file_.has_attribute(group_, "padding_index")) {
      config.embedding.padding_index = file_.read_int(group_, "padding_index");
    }
    config.embedding.tie_weights = file_.read_int(group_, "tied") != 0;
    config.rnn.input_size = table[1];
    config.rnn.hidden_size = file_.array(group_ + "/start/rnn.weight_hh_l0").shape()[1];
    config.rnn.num_layers = file_.read_int(group_, "num_layers");
    config.rnn.bidirectional = file_.read_int(group_, "bidirectional") != 0;
    config.rnn.cell = parse_cell(file_.read_string(group_, "cell")).value();
    config.task =
        file_.read_string(group_, "task") == "tagging" ? Task::tagging : Task::classification;
    config.output_size = file_.array(group_ + "/start/head.bias").size();
    return config;
  }

  OptimizerConfig optimizer_config() const {
    OptimizerConfig config;
    config.kind = file_.read_string(group_, "optimizer") == "sgd" ? OptimizerConfig::Kind::sgd
                                                                  : OptimizerConfig::Kind::adam;
    config.lr = file_.read_double(group_, "lr");
    if (file_.has_attribute(group_, "eps")) config.eps = file_.read_double(group_, "eps");
    if (file_.has_attribute(group_, "clip_norm")) {
      config.clip_norm = file_.read_double(group_, "clip_norm");
    }
    return config;
  }

  /// Rows first to last, last not included.
  Batch batch(Task task, std::size_t first, std::size_t last) const {
    const auto lengths = read<std::int64_t>(file_, group_ + "/lengths");
    const auto tokens = read<std::int32_t>(file_, group_ + "/tokens");
    const auto labels = read<std::int64_t>(file_, group_ + "/labels");
    const auto steps_before = [&](std::size_t row) {
      return std::accumulate(lengths.begin(), lengths.begin() + static_cast<std::ptrdiff_t>(row),
                             std::int64_t{0});
    };
    const bool tagging = task == Task::tagging;
    Batch batch;
    batch.offsets = {0};
    for (std::size_t row = first; row < last; ++row) {
      batch.offsets.push_back(batch.offsets.back() + lengths[row]);
    }
    batch.tokens.assign(tokens.begin() + steps_before(first), tokens.begin() + steps_before(last));
    batch.labels.assign(
        labels.begin() + (tagging ? steps_before(first) : static_cast<std::int64_t>(first)),
        labels.begin() + (tagging ? steps_before(last) : static_cast<std::int64_t>(last)));
    return batch;
  }

  hdf5::File file_ = hdf5::File::open(paths::in_source("tests/golden/embedding.h5"));
  std::string group_ = GetParam();
  ModelConfig config_ = model_config();
  std::vector<Batch> batches_{batch(config_.task, 0, 6), batch(config_.task, 6, 10)};
  Arena arena_{2};
  Network network_{config_, 6, 6, arena_};

  void SetUp() override {
    ParameterEditor editor = network_.parameters().edit();
    for (const auto& slice : network_.parameters().slices()) {
      std::ranges::copy(read(file_, group_ + "/start/" + slice.name), editor.value(slice).begin());
    }
  }

  /// Within 1e-5 of the largest element, and zero where PyTorch's is.
  void expect_gradient(const Gradient& gradient, const std::string& name) {
    const auto expected = read(file_, group_ + "/" + name);
    const float largest = std::abs(
        *std::ranges::max_element(expected, {}, [](float value) { return std::abs(value); }));
    const auto actual = gradient.of(network_.parameters().embedding_weight());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(actual[i], expected[i], 1e-5 * largest) << name << " element " << i;
      ASSERT_EQ(actual[i] == 0, expected[i] == 0) << "absent or not, element " << i;
    }
  }
};

TEST_P(GoldenEmbeddingTest, TenStepsHavePyTorchsLossesGradientsAndWeights) {
  Trainer trainer(network_, optimizer_config(), 1);
  const auto losses = read(file_, group_ + "/losses");
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const Batch& batch = batches_[step % 2];
    if (step < 2) {
      expect_gradient(network_.differentiate(batch, {}).gradient,
                      "gradient" + std::to_string(step));
    }
    const Metrics metrics = trainer.step(batch);
    EXPECT_NEAR(metrics.mean_loss(), losses[step], 1e-5 * losses[step]) << step;
  }
  const Parameters& parameters = network_.parameters();
  for (const auto& slice : parameters.slices()) {
    const auto expected = read(file_, group_ + "/end/" + slice.name);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(parameters.value(slice)[i], expected[i], 1e-4) << slice.name;
    }
  }
}

TEST_P(GoldenEmbeddingTest, TheNormCountsTheTable) {
  const auto [gradients, norm, scale, rows] = network_.differentiate(batches_[0], {}).gradient;
  const auto expected = static_cast<double>(read(file_, group_ + "/norms")[0]);
  EXPECT_NEAR(norm, expected, 1e-5 * expected);
  const double square = std::accumulate(
      gradients.begin(), gradients.end(), 0.0,
      [](double sum, float value) { return sum + static_cast<double>(value) * value; });
  EXPECT_NEAR(norm, std::sqrt(square), 1e-6 * norm);
}

INSTANTIATE_TEST_SUITE_P(Runs, GoldenEmbeddingTest,
                         ::testing::Values("tagging_sgd", "tagging_adam", "classification_adam",
                                           "tied_adam", "tied_padding_sgd"),
                         [](const auto& test) { return std::string(test.param); });

const ModelConfig kTagger{.rnn = {.input_size = 3, .hidden_size = 4},
                          .task = Task::tagging,
                          .output_size = 2,
                          .embedding = {.vocabulary_size = 6, .padding_index = 2}};

/// One sequence of these tokens.
Batch sentence(const std::vector<std::int32_t>& tokens) {
  Batch batch;
  batch.tokens = tokens;
  batch.offsets = {0, std::ssize(tokens)};
  batch.labels.assign(tokens.size(), 1);
  return batch;
}

std::vector<float> row(std::span<const float> array, std::size_t index) {
  const auto part = array.subspan(index * 3, 3);
  return {part.begin(), part.end()};
}

TEST(EmbeddingTest, PaddingAndAbsentTokensKeepTheirRowsAndState) {
  Arena arena(1);
  Network network(kTagger, 4, 1, arena);
  network.parameters().initialize(1);
  Trainer trainer(network, {.lr = 0.1}, 1);
  const auto values = network.parameters().values();
  EXPECT_THAT(row(values, 2), Each(0));
  trainer.step(sentence({1, 2, 1, 4}));
  const std::vector<float> before(values.begin(), values.end());
  const auto momentum = trainer.optimizer().states()[0].array.span();
  const std::vector<float> momentum_before(momentum.begin(), momentum.end());
  EXPECT_THAT(row(momentum, 1), Each(::testing::Ne(0)));
  trainer.step(sentence({2, 5, 4}));
  EXPECT_THAT(row(network.differentiate(sentence({2, 5, 4}), {}).gradient.values, 1), Each(0));
  for (const std::size_t token : {0U, 1U, 2U, 3U}) {
    EXPECT_EQ(row(values, token), row(before, token)) << token;
    EXPECT_EQ(row(momentum, token), row(momentum_before, token)) << token;
  }
  for (const std::size_t token : {4U, 5U})
    EXPECT_NE(row(values, token), row(before, token)) << token;
  EXPECT_THAT(row(values, 2), Each(0));
}

TEST(EmbeddingTest, ABatchOfPaddingHasNoGradient) {
  Arena arena(2);
  Network network(kTagger, 4, 1, arena);
  network.parameters().initialize(1);
  network.differentiate(sentence({1, 3}), {});
  const Gradient gradient = network.differentiate(sentence({2, 2, 2}), {}).gradient;
  EXPECT_THAT(gradient.values.first(gradient.rows.size), Each(0));
  EXPECT_TRUE(gradient.rows.present.empty());
}

TEST(EmbeddingTest, TheTableStartsNormallyDistributed) {
  ModelConfig config = kTagger;
  config.embedding.vocabulary_size = 40001;
  Parameters parameters(config);
  parameters.initialize(3);
  const auto table = parameters.value(parameters.embedding_weight());
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  for (const float value : table) {
    const double square = static_cast<double>(value) * value;
    sum += value;
    squares += square;
    fourth += square * square;
  }
  const auto count = static_cast<double>(table.size());
  EXPECT_NEAR(sum / count, 0, 0.01);  // 3.5 sigma
  EXPECT_NEAR(squares / count, 1, 0.015);
  EXPECT_NEAR(fourth / count, 3, 0.1);
  EXPECT_NE(table[0], table[table.size() - 1]);
}

/// The message of what `body` throws.
template <typename Exception, typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Exception& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(EmbeddingTest, BadTokensAndConfigsAreErrors) {
  Arena arena(1);
  Network network(kTagger, 4, 1, arena);
  for (const std::int32_t token : {-1, 6}) {
    EXPECT_THAT(message_of<DataError>([&] {
                  network.evaluate(sentence({1, token}));
                }),
                HasSubstr("token: expected 0 to 5, found " + std::to_string(token)));
  }
  Batch features = sentence({1, 2});
  features.x.assign(6, 0.0F);
  EXPECT_THAT(message_of<InvalidArgument>([&] { network.evaluate(features); }),
              HasSubstr("batch x: expected 0 values, found 6"));
  features.tokens.clear();
  EXPECT_THAT(message_of<InvalidArgument>([&] { network.evaluate(features); }),
              HasSubstr("batch tokens: expected 2 values, found 0"));
  ModelConfig config = kTagger;
  config.embedding.padding_index = 6;
  EXPECT_THAT(message_of<InvalidArgument>([&] { validate(config); }),
              HasSubstr("padding_index: expected one of 6 tokens, found 6"));
  config.embedding = {.vocabulary_size = 6, .tie_weights = true};
  EXPECT_THAT(message_of<InvalidArgument>([&] { validate(config); }),
              HasSubstr("tie_weights: expected an embedding of 2 tokens of 4 features, as the head "
                        "has them, found 6 of 3"));
  config.embedding = {.vocabulary_size = -1};
  EXPECT_THAT(message_of<InvalidArgument>([&] { validate(config); }),
              HasSubstr("vocabulary_size: expected 0 to 2147483647, found -1"));
}

/// What the second of two steps makes of row 1 of 2, which only the second one holds.
struct RowUpdate {
  const char* name;
  OptimizerConfig config;
  double (*expected)(double weight, double gradient);
};

class RowUpdateTest : public ::testing::TestWithParam<RowUpdate> {};

TEST_P(RowUpdateTest, ActsOnARowInTheStepsThatItIsPresentIn) {
  Arena arena(1);
  constexpr std::size_t kSize = 16;  // two rows of 5, and the gap
  Optimizer optimizer(GetParam().config, kSize);
  std::vector<float> values(kSize, 0.5F);
  std::vector<float> gradients(kSize, 0.25F);
  const std::vector<std::int32_t> first{0};
  const std::vector<std::int32_t> second{1};
  optimizer.step(arena, values, {.values = gradients, .rows = {kSize, 5, first}});
  EXPECT_EQ(values[5], 0.5F);
  EXPECT_NE(values[4], 0.5F);
  const float other = values[4];
  optimizer.step(arena, values, {.values = gradients, .rows = {kSize, 5, second}});
  const double expected = GetParam().expected(0.5, 0.25);
  EXPECT_NEAR(values[5], expected, 1e-6 * std::abs(expected));
  EXPECT_EQ(values[4], other);
  EXPECT_EQ(values[10], 0.5F) << "in the gap";
}

// lr 0.1, betas 0.9 and 0.999, momentum and decay as below; step 2 is the row's first.
double sparse_adam(double weight, double gradient) {
  const double average = 0.1 * gradient;
  const double square_average = 0.001 * gradient * gradient;
  const double step_size = 0.1 * std::sqrt(1 - 0.999 * 0.999) / (1 - 0.9 * 0.9);
  return weight - step_size * average / (std::sqrt(square_average) + 1e-3);
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, RowUpdateTest,
    ::testing::Values(
        RowUpdate{"Adam", {.lr = 0.1, .eps = 1e-3}, &sparse_adam},
        RowUpdate{"AdamDecay",
                  {.lr = 0.1, .eps = 1e-3, .weight_decay = 0.2},
                  [](double w, double g) { return sparse_adam(w, g + 0.2 * w); }},
        RowUpdate{
            "AdamW",
            {.kind = OptimizerConfig::Kind::adamw, .lr = 0.1, .eps = 1e-3, .weight_decay = 0.2},
            [](double w, double g) { return sparse_adam(w - 0.1 * 0.2 * w, g); }},
        RowUpdate{
            "SgdMomentumDecay",
            {.kind = OptimizerConfig::Kind::sgd, .lr = 0.1, .momentum = 0.9, .weight_decay = 0.2},
            [](double w, double g) { return w - 0.1 * (g + 0.2 * w); }}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace quadgate
