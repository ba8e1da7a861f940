// Training in bf16: the same bits from every instruction set and number of threads, and gradients
// near those of f32. Tolerance 2e-2 of a tensor's largest gradient: bf16 has 8 bits, and a sum of
// many rounded products loses a little of them.

#include <gtest/gtest.h>

#include <cstring>

#include "engine/base/error.h"
#include "engine/training/trainer.h"
#include "kernels/base/isa.h"
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
  void TearDown() override { kernels::cap_isa(kernels::Isa::avx512_bf16); }

  /// The weights after three steps at the given options and threads.
  static std::vector<float> train(const NetworkOptions& options, int threads, int steps = 3) {
    const auto& [name, model, seq_len, batch_size] = GetParam();
    Arena arena(threads);
    Network network(model, seq_len, batch_size, arena, options);
    network.parameters().initialize(1);
    Trainer trainer(network, {.lr = 0.01}, 1);
    testing::Random random(1);
    for (int step = 0; step < steps; ++step) {
      trainer.step(random_batch(model, random_lengths(batch_size, seq_len, random), random));
    }
    const auto values = network.parameters().values();
    return {values.begin(), values.end()};
  }

  static constexpr NetworkOptions kBf16{.precision = Precision::bf16};
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

TEST_P(Bf16Test, EveryInstructionSetGivesTheSameBits) {
  kernels::cap_isa(kernels::Isa::scalar);
  const auto expected = train(kBf16, 1);
  for (const auto isa : {kernels::Isa::avx2, kernels::Isa::avx512, kernels::Isa::avx512_bf16}) {
    if (isa > kernels::detected_isa()) continue;
    kernels::cap_isa(isa);
    EXPECT_TRUE(same_bits(train(kBf16, 1), expected)) << kernels::to_string(isa);
  }
}

TEST_P(Bf16Test, EveryNumberOfThreadsAndTeamGivesTheSameBits) {
  const auto expected = train(kBf16, 1);
  for (const int threads : {2, 3, 4}) {
    for (std::int64_t team = 0; team <= threads; ++team) {
      const NetworkOptions options{.precision = Precision::bf16, .team_size = team};
      EXPECT_TRUE(same_bits(train(options, threads), expected))
          << threads << " threads, teams of " << team;
    }
  }
}

TEST_P(Bf16Test, GradientsAreNearThoseOfF32) {
  const auto& [name, model, seq_len, batch_size] = GetParam();
  Arena arena(1);
  testing::Random random(1);
  const Batch batch = random_batch(model, random_lengths(batch_size, seq_len, random), random);
  const DropoutKey dropout{1, 2};
  Network exact(model, seq_len, batch_size, arena, {.backend = BackendKind::native});
  Network rounded(model, seq_len, batch_size, arena, kBf16);
  for (Network* network : {&exact, &rounded}) {
    network->parameters().initialize(3);
  }
  const auto [metrics, gradient] = exact.differentiate(batch, dropout);
  const auto [rounded_metrics, rounded_gradient] = rounded.differentiate(batch, dropout);
  const double loss = metrics.mean_loss();
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
    EXPECT_LE(difference, kBf16Tolerance * largest) << slice.name;
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
        Case{"Regression",
             {.rnn = {.input_size = 5, .hidden_size = 70, .num_layers = 3},
              .task = Task::regression,
              .output_size = 3}}),
    [](const auto& test) { return test.param.name; });

TEST(Bf16ErrorTest, OnednnHasNoBf16) {
  Arena arena(1);
  const ModelConfig model{.rnn = {.input_size = 1, .hidden_size = 1}, .output_size = 1};
  EXPECT_THROW(
      Network(model, 1, 1, arena, {.backend = BackendKind::onednn, .precision = Precision::bf16}),
      InvalidArgument);
}

}  // namespace
}  // namespace quadgate
