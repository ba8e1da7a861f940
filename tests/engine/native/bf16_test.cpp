// Training in bf16: the same bits from every instruction set if consistent, and from every number
// of threads; with AMX, which is emulated, as well. The norm clips every step; since it becomes a
// float before it acts, it is compared as well. Gradients are near those of f32. Tolerance 2e-2
// of a tensor's largest gradient: bf16 has 8 bits, and a sum of many rounded products loses a
// little of them. A training run with AMX has the losses of one without to 1e-2 of the first.

#include <gtest/gtest.h>

#include <cstring>

#include "engine/training/trainer.h"
#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "tests/support/batches.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

constexpr double kBf16Tolerance = 2e-2;

struct Case {
  const char* name;
  ModelConfig model;
  std::int64_t seq_len = 7;
  std::int64_t batch_size = 9;
};

class Bf16Test : public ::testing::TestWithParam<Case> {
 protected:
  void TearDown() override {
    kernels::cap_isa(kernels::Isa::amx_bf16);
    kernels::prefer_tiles(false);
  }

  /// No sequence is too short for a convolution.
  static Batch draw(testing::Random& random) {
    const auto& [name, model, seq_len, batch_size] = GetParam();
    return random_batch(model, random_lengths(batch_size, seq_len, random, 2), random);
  }

  /// The norms of three steps' gradients and the weights after them, at the given options and
  /// threads.
  static std::vector<double> train(const NetworkOptions& options, int threads, int steps = 3) {
    const auto& [name, model, seq_len, batch_size] = GetParam();
    Arena arena(threads);
    Network network(model, seq_len, batch_size, arena, options);
    network.parameters().initialize(1);
    Trainer trainer(network, {.lr = 0.01, .clip_norm = 1e-2}, 1);
    testing::Random random(1);
    std::vector<double> results;
    for (int step = 0; step < steps; ++step) {
      const Batch batch = draw(random);
      results.push_back(network.differentiate(batch, {1, 2}).gradient.norm);
      trainer.step(batch);
    }
    const auto values = network.parameters().values();
    results.insert(results.end(), values.begin(), values.end());
    return results;
  }

  static constexpr NetworkOptions kBf16{.precision = Precision::bf16};
  static constexpr NetworkOptions kConsistent{.precision = Precision::bf16,
                                              .arithmetic = Arithmetic::consistent};
};

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST_P(Bf16Test, EveryInstructionSetGivesTheSameBits) {
  kernels::cap_isa(kernels::Isa::scalar);
  const auto expected = train(kConsistent, 1);
  for (const auto isa : {kernels::Isa::avx2, kernels::Isa::avx512, kernels::Isa::avx512_bf16,
                         kernels::Isa::amx_bf16}) {
    if (isa > kernels::detected_isa()) continue;
    kernels::cap_isa(isa);
    EXPECT_TRUE(same_bits(train(kConsistent, 1), expected)) << kernels::to_string(isa);
  }
  kernels::prefer_tiles(true);
  EXPECT_TRUE(same_bits(train(kConsistent, 1), expected));
  EXPECT_FALSE(same_bits(train(kBf16, 1), expected));
}

TEST_P(Bf16Test, EveryNumberOfThreadsAndTeamGivesTheSameBits) {
  for (const bool tiles : {false, true}) {
    kernels::prefer_tiles(tiles);
    const int steps = tiles ? 1 : 3;
    const auto expected = train(kBf16, 1, steps);
    for (const int threads : tiles ? std::vector{3} : std::vector{2, 3, 4}) {
      for (std::int64_t team = 0; team <= threads; ++team) {
        const NetworkOptions options{.precision = Precision::bf16, .team_size = team};
        EXPECT_TRUE(same_bits(train(options, threads, steps), expected))
            << threads << " threads, teams of " << team << ", tiles " << tiles;
      }
    }
  }
}

TEST_P(Bf16Test, GradientsAreNearThoseOfF32) {
  const auto& [name, model, seq_len, batch_size] = GetParam();
  Arena arena(1);
  testing::Random random(1);
  const Batch batch = draw(random);
  const DropoutKey dropout{1, 2};
  Network exact(model, seq_len, batch_size, arena, {.backend = BackendKind::native});
  exact.parameters().initialize(3);
  const auto [metrics, gradient] = exact.differentiate(batch, dropout);
  const double loss = metrics.mean_loss();
  for (const bool tiles : {false, true}) {
    kernels::prefer_tiles(tiles);
    Network rounded(model, seq_len, batch_size, arena, kBf16);
    rounded.parameters().initialize(3);
    const auto [rounded_metrics, rounded_gradient] = rounded.differentiate(batch, dropout);
    EXPECT_NEAR(rounded_metrics.mean_loss(), loss, kBf16Tolerance * loss);
    for (const auto& slice : exact.parameters().slices()) {
      const auto found = rounded_gradient.of(slice);
      const auto expected = gradient.of(slice);
      double largest = 0;
      double difference = 0;
      for (std::size_t i = 0; i < slice.size; ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
        difference = std::max(difference, std::abs(static_cast<double>(expected[i]) - found[i]));
      }
      EXPECT_GT(difference, 0) << slice.name;
      EXPECT_LE(difference, kBf16Tolerance * largest) << slice.name << ", tiles " << tiles;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Bf16Test,
    ::testing::Values(
        Case{"Classifier",  // all have work for more than one core, see Workers
             {.rnn = {.input_size = 6, .hidden_size = 66}, .output_size = 4}},
        // Ranges of sequences that end at different steps, over several input products.
        Case{"LongRaggedTagger",
             {.rnn = {.input_size = 3, .hidden_size = 64, .bidirectional = true},
              .task = Task::tagging,
              .output_size = 3},
             50,
             32},
        Case{"OddBidirectionalTaggerWithDropout",
             {.rnn = {.input_size = 3,
                      .hidden_size = 33,
                      .num_layers = 2,
                      .bidirectional = true,
                      .dropout = 0.3},
              .task = Task::tagging,
              .output_size = 5}},
        Case{"EveryDropout",
             {.rnn = {.input_size = 7,
                      .hidden_size = 67,
                      .num_layers = 2,
                      .dropout = 0.3,
                      .input_dropout = 0.2,
                      .output_dropout = 0.4,
                      .locked_dropout = true,
                      .weight_dropout = 0.3},
              .task = Task::tagging,
              .output_size = 5}},
        Case{"ManyClassesInSeveralBlocks",
             {.rnn = {.input_size = 17, .hidden_size = 35, .bidirectional = true},
              .task = Task::tagging,
              .output_size = 259,
              .embedding = {.vocabulary_size = 40}},
             31,
             12},
        Case{"ManyTiedClasses",
             {.rnn = {.input_size = 33, .hidden_size = 33, .output_dropout = 0.2},
              .task = Task::tagging,
              .output_size = 300,
              .embedding = {.vocabulary_size = 300, .tie_weights = true}}},
        Case{"Regression",
             {.rnn = {.input_size = 5, .hidden_size = 70, .num_layers = 3},
              .task = Task::regression,
              .output_size = 3}},
        Case{"NormalizedForecastOfAGru",
             {.rnn = {.input_size = 6, .hidden_size = 40, .cell = Cell::gru},
              .task = Task::regression,
              .output_size = 2,
              .normalization = {.kind = Normalize::instance, .columns = {5, 0}}}},
        Case{"ProjectionOfConvolvedTokens",
             {.rnn = {.input_size = 34, .hidden_size = 50, .num_layers = 2, .proj_size = 20},
              .output_size = 4,
              .embedding = {.vocabulary_size = 200},
              .conv = ConvConfig{.input_size = 18, .channels = 34, .kernel_size = 2}}},
        Case{"PooledConvolutionOfOddFeatures",
             {.rnn = {.input_size = 35, .hidden_size = 40},
              .output_size = 4,
              .conv = ConvConfig{.input_size = 13,
                                 .channels = 35,
                                 .kernel_size = 3,
                                 .padding = 2,
                                 .pool_size = 2}}},
        Case{"CrfTagger",
             {.rnn = {.input_size = 6, .hidden_size = 40, .bidirectional = true},
              .task = Task::tagging,
              .output_size = 20,
              .embedding = {.vocabulary_size = 100, .sparse = false},
              .crf = true}}),
    [](const auto& test) { return test.param.name; });

class Bf16RunTest : public ::testing::TestWithParam<Cell> {
 protected:
  void TearDown() override { kernels::prefer_tiles(false); }

  /// The losses of a run that learns a batch.
  static std::vector<double> losses(bool tiles) {
    kernels::prefer_tiles(tiles);
    const ModelConfig model{
        .rnn = {.input_size = 5, .hidden_size = 24, .num_layers = 2, .cell = GetParam()},
        .output_size = 3};
    Arena arena(2);
    Network network(model, 8, 18, arena, {.precision = Precision::bf16});
    network.parameters().initialize(1);
    Trainer trainer(network, {.lr = 0.01}, 1);
    testing::Random random(1);
    const Batch batch = random_batch(model, random_lengths(18, 8, random), random);
    std::vector<double> losses(40);
    for (double& loss : losses) loss = trainer.step(batch).mean_loss();
    return losses;
  }
};

TEST_P(Bf16RunTest, HasTheSameLossesWithAndWithoutAmx) {
  const auto expected = losses(false);
  const auto found = losses(true);
  EXPECT_LT(expected.back(), 0.5 * expected.front());
  EXPECT_NE(found, expected);
  for (std::size_t step = 0; step < expected.size(); ++step) {
    EXPECT_NEAR(found[step], expected[step], 1e-2 * expected.front()) << "step " << step;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, Bf16RunTest,
                         ::testing::Values(Cell::lstm, Cell::gru, Cell::rnn_tanh),
                         [](const auto& test) { return std::string(to_string(test.param)); });

}  // namespace
}  // namespace quadgate
