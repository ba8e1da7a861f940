// Sweeps tasks, cells, embeddings, convolutions, poolings, directions, layers, dropout, ragged
// lengths and batches that fill no whole number of slices, for 4 steps at 1, 2, 3 and 4 threads, on
// both backends and in teams of every size; and what the native one predicts on every ISA (it sums
// gradients in the order of its panels, as wide as the vectors are). No tolerance: weights, losses
// and predictions are the same bits.

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

#include "engine/training/trainer.h"
#include "kernels/base/isa.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"

namespace quadgate {
namespace {

struct ShapeCase {
  const char* name;
  ModelConfig model;
  std::int64_t seq_len;
  std::int64_t batch_size;
};

// Each has work for more than one core, see Workers.
const ShapeCase kShapeCases[] = {
    ShapeCase{"Classifier", {.rnn = {.input_size = 5, .hidden_size = 50}, .output_size = 4}, 8, 13},
    ShapeCase{"BidirectionalTaggerWithDropout",
              {.rnn = {.input_size = 3,
                       .hidden_size = 33,
                       .num_layers = 2,
                       .bidirectional = true,
                       .dropout = 0.3},
               .task = Task::tagging,
               .output_size = 5},
              6,
              21},
    ShapeCase{"RegressionWithManyShards",
              {.rnn = {.input_size = 2, .hidden_size = 32, .num_layers = 2, .dropout = 0.5},
               .task = Task::regression,
               .output_size = 3},
              5,
              70},
    ShapeCase{
        "SmallBatch",
        {.rnn = {.input_size = 7, .hidden_size = 130, .bidirectional = true}, .output_size = 2},
        4,
        3}};

struct Result {
  std::vector<float> weights, predictions;
  std::vector<double> losses;
};

std::vector<float> predictions_of(Network& network, const Batch& batch) {
  const ModelConfig& config = network.config();
  const std::int64_t rows = config.task == Task::tagging ? batch.steps() : batch.rows();
  std::vector<float> outputs(static_cast<std::size_t>(rows * config.output_size));
  network.predict(batch, outputs);
  return outputs;
}

// Many words in few rows of a large table, then few words in many rows.
const ShapeCase kTokenCases[] = {
    ShapeCase{"ManyWords",
              {.rnn = {.input_size = 37, .hidden_size = 20, .num_layers = 2, .bidirectional = true},
               .task = Task::tagging,
               .output_size = 5,
               .embedding = {.vocabulary_size = 5000, .padding_index = 7}},
              20,
              33},
    ShapeCase{"Crf",
              {.rnn = {.input_size = 20, .hidden_size = 30, .bidirectional = true},
               .task = Task::tagging,
               .output_size = 70,
               .embedding = {.vocabulary_size = 90},
               .crf = true},
              11,
              17},
    ShapeCase{"Characters",
              {.rnn = {.input_size = 16, .hidden_size = 40},
               .task = Task::tagging,
               .output_size = 3,
               .embedding = {.vocabulary_size = 9}},
              30,
              21},
    ShapeCase{"TiedWeights",
              {.rnn = {.input_size = 40, .hidden_size = 40},
               .task = Task::tagging,
               .output_size = 300,
               .embedding = {.vocabulary_size = 300, .tie_weights = true}},
              12,
              9},
    ShapeCase{"ManyTiedClasses",
              {.rnn = {.input_size = 40, .hidden_size = 40},
               .task = Task::tagging,
               .output_size = 1500,
               .embedding = {.vocabulary_size = 1500, .tie_weights = true}},
              30,
              21},
    ShapeCase{
        "ManyClassesBehindConv",
        {.rnn = {.input_size = 30, .hidden_size = 40, .bidirectional = true, .output_dropout = 0.2},
         .task = Task::tagging,
         .output_size = 2001,
         .embedding = {.vocabulary_size = 90},
         .conv = ConvConfig{.input_size = 20, .channels = 30, .kernel_size = 3, .padding = 1}},
        20,
        21}};

// Windows over features and over tokens, with and without pooling and padding, few and many
// channels.
const ShapeCase kConvCases[] = {
    ShapeCase{
        "ConvPooled",
        {.rnn = {.input_size = 40, .hidden_size = 50},
         .output_size = 4,
         .conv = ConvConfig{.input_size = 7, .channels = 40, .kernel_size = 3, .pool_size = 2}},
        20,
        13},
    ShapeCase{
        "ConvTagger",
        {.rnn = {.input_size = 70, .hidden_size = 30, .bidirectional = true},
         .task = Task::tagging,
         .output_size = 3,
         .embedding = {.vocabulary_size = 90},
         .conv = ConvConfig{.input_size = 20, .channels = 70, .kernel_size = 5, .padding = 2}},
        15,
        11}};

// Levels taken out, and a gradient that comes of features and outputs.
const ShapeCase kNormalizationCases[] = {
    ShapeCase{"Last",
              {.rnn = {.input_size = 5, .hidden_size = 50},
               .task = Task::regression,
               .output_size = 4,
               .normalization = {.kind = Normalize::last, .columns = {0, 4}}},
              20,
              13},
    ShapeCase{"InstanceBehindConv",
              {.rnn = {.input_size = 40, .hidden_size = 50},
               .task = Task::regression,
               .output_size = 3,
               .conv = ConvConfig{.input_size = 19, .channels = 40, .kernel_size = 3},
               .normalization = {.kind = Normalize::instance, .columns = {18, 0, 1}}},
              20,
              33},
    ShapeCase{"QuantilesAndInstance",
              {.rnn = {.input_size = 33, .hidden_size = 50},
               .task = Task::regression,
               .output_size = 6,
               .loss = {.kind = LossKind::pinball, .quantiles = {0.1F, 0.5F, 0.9F}},
               .normalization = {.kind = Normalize::instance, .columns = {32, 1}}},
              20,
              33},
    ShapeCase{"StudentAndLast",
              {.rnn = {.input_size = 33, .hidden_size = 50},
               .task = Task::regression,
               .output_size = 6,
               .loss = {.kind = LossKind::student_t},
               .normalization = {.kind = Normalize::last, .columns = {32, 1}}},
              20,
              33},
    ShapeCase{"InstanceWithDropout",
              {.rnn = {.input_size = 33, .hidden_size = 50, .input_dropout = 0.2},
               .task = Task::regression,
               .output_size = 2,
               .normalization = {.kind = Normalize::instance, .columns = {32, 1}}},
              20,
              33}};

Batch batch_of(const ShapeCase& test, std::int64_t rows, testing::Random& random) {
  const std::int64_t shortest = test.model.conv ? test.model.conv->shortest() : 1;
  return random_batch(test.model, random_lengths(rows, test.seq_len, random, shortest), random);
}

/// Four steps of Adam: two whole batches, two smaller ones; then predictions.
Result train(const ShapeCase& test, const NetworkOptions& options, int threads) {
  Arena arena(threads);
  Network network(test.model, test.seq_len, test.batch_size, arena, options);
  network.parameters().initialize(1);
  Trainer trainer(network, {.lr = 0.01, .clip_norm = 0.5}, 1);
  testing::Random random(1);
  Result result;
  Batch batch;
  for (const std::int64_t rows :
       {test.batch_size, test.batch_size, test.batch_size - 2, std::int64_t{1}}) {
    batch = batch_of(test, rows, random);
    result.losses.push_back(trainer.step(batch).loss);
  }
  const auto values = network.parameters().values();
  result.weights.assign(values.begin(), values.end());
  result.predictions = predictions_of(network, batch);
  return result;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class DeterminismTest : public ::testing::TestWithParam<std::tuple<ShapeCase, BackendKind>> {};

TEST_P(DeterminismTest, EveryNumberOfThreadsGivesTheSameBits) {
  auto [test, backend] = GetParam();
  RecurrentConfig& rnn = test.model.rnn;
  if (backend == BackendKind::onednn && rnn.proj_size > 0) {  // it has no projection
    rnn.hidden_size = std::exchange(rnn.proj_size, 0);
  }
  const Result expected = train(test, {.backend = backend}, 1);
  for (const int threads : {1, 2, 3, 4}) {
    const Result result = train(test, {.backend = backend}, threads);
    EXPECT_TRUE(same_bits(result.weights, expected.weights)) << threads << " threads";
    EXPECT_TRUE(same_bits(result.losses, expected.losses)) << threads << " threads";
    EXPECT_TRUE(same_bits(result.predictions, expected.predictions)) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kShapeCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

const ShapeCase kCellCases[] = {
    ShapeCase{
        "Gru",
        {.rnn = {.input_size = 7, .hidden_size = 50, .bidirectional = true, .cell = Cell::gru},
         .output_size = 2},
        6,
        13},
    ShapeCase{"Rnn",
              {.rnn = {.input_size = 7, .hidden_size = 70, .num_layers = 2, .cell = Cell::rnn_tanh},
               .task = Task::tagging,
               .output_size = 2},
              6,
              13}};

const ShapeCase kHeadCases[] = {
    ShapeCase{"MeanOfSmoothedClasses",
              {.rnn = {.input_size = 7, .hidden_size = 70, .bidirectional = true},
               .output_size = 3,
               .pooling = Pooling::mean,
               .loss = {.label_smoothing = 0.1, .class_weights = {1, 2, 3}}},
              6,
              13},
    ShapeCase{"MaxOfHuberValues",
              {.rnn = {.input_size = 7, .hidden_size = 70, .bidirectional = true},
               .task = Task::regression,
               .output_size = 2,
               .pooling = Pooling::max,
               .loss = {.kind = LossKind::huber}},
              6,
              13}};

const ShapeCase kDropoutCases[] = {
    ShapeCase{"EveryDropout",
              {.rnn = {.input_size = 7,
                       .hidden_size = 70,
                       .num_layers = 2,
                       .bidirectional = true,
                       .dropout = 0.3,
                       .cell = Cell::gru,
                       .input_dropout = 0.2,
                       .output_dropout = 0.4,
                       .weight_dropout = 0.5},
               .task = Task::tagging,
               .output_size = 3},
              6,
              13},
    ShapeCase{"LockedWords",
              {.rnn = {.input_size = 40,
                       .hidden_size = 140,
                       .dropout = 0.3,
                       .proj_size = 40,
                       .input_dropout = 0.2,
                       .output_dropout = 0.4,
                       .locked_dropout = true,
                       .weight_dropout = 0.5},
               .task = Task::tagging,
               .output_size = 100,
               .embedding = {.vocabulary_size = 100, .tie_weights = true}},
              12,
              9},
    ShapeCase{
        "ConvolvedLocked",
        {.rnn = {.input_size = 70, .hidden_size = 70, .input_dropout = 0.2, .locked_dropout = true},
         .output_size = 3,
         .conv = ConvConfig{.input_size = 9, .channels = 70, .kernel_size = 3, .pool_size = 2}},
        14,
        13}};

INSTANTIATE_TEST_SUITE_P(Dropouts, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kDropoutCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Heads, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kHeadCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Cells, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kCellCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Tokens, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kTokenCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Normalization, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kNormalizationCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Conv, DeterminismTest,
                         ::testing::Combine(::testing::ValuesIn(kConvCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

// Hidden sizes of at least two panels of d(h), 64 units each with AVX-512: what members share.
const ShapeCase kWideCases[] = {
    ShapeCase{"DeepTaggerWithDropout",
              {.rnn = {.input_size = 90,
                       .hidden_size = 260,
                       .num_layers = 2,
                       .bidirectional = true,
                       .dropout = 0.3},
               .task = Task::tagging,
               .output_size = 70},
              30,
              5},
    ShapeCase{
        "Classifier", {.rnn = {.input_size = 3, .hidden_size = 70}, .output_size = 4}, 40, 3}};

class TeamDeterminismTest : public ::testing::TestWithParam<ShapeCase> {};

TEST_P(TeamDeterminismTest, EveryTeamSizeGivesTheSameBits) {
  const Result expected = train(GetParam(), {.backend = BackendKind::native}, 1);
  for (const std::int64_t team_size : {1, 2, 3, 4}) {
    const Result result =
        train(GetParam(), {.backend = BackendKind::native, .team_size = team_size}, 4);
    EXPECT_TRUE(same_bits(result.weights, expected.weights)) << "teams of " << team_size;
    EXPECT_TRUE(same_bits(result.losses, expected.losses)) << "teams of " << team_size;
    EXPECT_TRUE(same_bits(result.predictions, expected.predictions)) << "teams of " << team_size;
  }
}

INSTANTIATE_TEST_SUITE_P(Dropouts, TeamDeterminismTest, ::testing::ValuesIn(kDropoutCases),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Heads, TeamDeterminismTest, ::testing::ValuesIn(kHeadCases),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Shapes, TeamDeterminismTest, ::testing::ValuesIn(kWideCases),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Tokens, TeamDeterminismTest, ::testing::ValuesIn(kTokenCases),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Normalization, TeamDeterminismTest,
                         ::testing::ValuesIn(kNormalizationCases),
                         [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(Conv, TeamDeterminismTest, ::testing::ValuesIn(kConvCases),
                         [](const auto& test) { return test.param.name; });

class IsaDeterminismTest : public ::testing::TestWithParam<ShapeCase> {
 protected:
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }
};

TEST_P(IsaDeterminismTest, TheNativeBackendPredictsTheSameBitsOnEveryIsa) {
  using kernels::Isa;
  const ShapeCase& test = GetParam();
  testing::Random random(1);
  const Batch batch = batch_of(test, test.batch_size, random);
  const auto run = [&](Isa isa) {
    kernels::cap_isa(isa);
    Arena arena(2);
    Network network(test.model, test.seq_len, test.batch_size, arena,
                    {.backend = BackendKind::native});
    network.parameters().initialize(1);
    return Result{{}, predictions_of(network, batch), {network.evaluate(batch).loss}};
  };
  const Result expected = run(Isa::scalar);
  for (const Isa isa : {Isa::avx2, Isa::avx512}) {
    if (isa > kernels::detected_isa()) {
      GTEST_SKIP() << "NOT TESTED: this machine has no " << to_string(isa);
    }
    const Result result = run(isa);
    EXPECT_TRUE(same_bits(result.losses, expected.losses)) << to_string(isa);
    EXPECT_TRUE(same_bits(result.predictions, expected.predictions)) << to_string(isa);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, IsaDeterminismTest, ::testing::ValuesIn(kShapeCases),
                         [](const auto& test) { return test.param.name; });

INSTANTIATE_TEST_SUITE_P(Conv, IsaDeterminismTest, ::testing::ValuesIn(kConvCases),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace quadgate
