// Sweeps the cells in bf16, where oneDNN has it, at odd and even sizes, both directions and ragged
// rows, beside the double reference and, as in f32, the native layers. Tolerance: 0.08 of the
// largest gradient, as that of the native ones: 2^-9 a rounding, some 10 of them in a row; in f32
// 2e-5, twice that of layer_test.cpp. Then 1 to 4 threads: no tolerance.

#include <gmock/gmock.h>

#include "engine/base/error.h"
#include "engine/training/network.h"
#include "kernels/base/isa.h"
#include "tests/support/batches.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using testing::network_reference;
using testing::predict;
using testing::Random;
using testing::relative_error;

/// The cell, the hidden size, and whether there are two directions.
class OnednnCellTest : public ::testing::TestWithParam<std::tuple<Cell, std::int64_t, bool>> {
 protected:
  ModelConfig config() const {
    const auto& [cell, hidden_size, bidirectional] = GetParam();
    return {.rnn = {.input_size = 5,
                    .hidden_size = hidden_size,
                    .num_layers = 2,
                    .bidirectional = bidirectional,
                    .cell = cell},
            .task = Task::tagging,
            .output_size = 4};
  }

  void expect_native_numbers(Precision precision, double tolerance) {
    Arena arena(2);
    Network onednn(config(), 9, 13, arena,
                   {.backend = BackendKind::onednn, .precision = precision});
    Network native(config(), 9, 13, arena,
                   {.backend = BackendKind::native, .precision = precision});
    Random random(7);
    const Batch batch = random_batch(config(), testing::random_lengths(13, 9, random), random);
    for (Network* const network : {&onednn, &native}) network->parameters().initialize(3);
    EXPECT_LE(relative_error(predict(onednn, batch), predict(native, batch)), tolerance);
    const auto found = onednn.differentiate(batch, {}).gradient;
    const auto expected = native.differentiate(batch, {}).gradient;
    EXPECT_LE(relative_error(found.values, expected.values), tolerance);
  }
};

TEST_P(OnednnCellTest, HasTheNativeLayersNumbers) { expect_native_numbers(Precision::f32, 2e-5); }

class OnednnBf16Test : public OnednnCellTest {
 protected:
  static constexpr double kRoughly = 0.08;
  static constexpr NetworkOptions kOptions{.backend = BackendKind::onednn,
                                           .precision = Precision::bf16};

  void SetUp() override {
    if (kernels::detected_isa() < kernels::Isa::avx512) {
      GTEST_SKIP() << "NOT TESTED: oneDNN has no bf16 on this machine";
    }
  }
};

TEST_P(OnednnBf16Test, HasRoughlyTheNativeLayersNumbers) {
  expect_native_numbers(Precision::bf16, kRoughly);
}

TEST_P(OnednnBf16Test, HasRoughlyTheReferencesGradients) {
  Arena arena(2);
  Network network(config(), 9, 13, arena, kOptions);
  network.parameters().initialize(3);
  Random random(7);
  for (const bool full : {false, true}) {
    const auto lengths =
        full ? std::vector<std::int64_t>(13, 9) : testing::random_lengths(13, 9, random);
    const Batch batch = random_batch(config(), lengths, random);
    const auto expected = network_reference(config(), network.parameters(), batch);
    EXPECT_LE(relative_error(predict(network, batch), expected.outputs), kRoughly);
    const Gradient gradient = network.differentiate(batch, {}).gradient;
    EXPECT_LE(relative_error(gradient.values, expected.gradients), kRoughly);
    EXPECT_GT(relative_error(gradient.values, expected.gradients), 1e-4);
  }
}

TEST_P(OnednnBf16Test, HasTheSameBitsAtEveryNumberOfThreads) {
  std::vector<float> expected;
  for (const int threads : {1, 2, 4}) {
    Arena arena(threads);
    Network network(config(), 30, 13, arena, kOptions);
    network.parameters().initialize(3);
    Random random(7);
    const Batch batch = random_batch(config(), testing::random_lengths(13, 30, random), random);
    const auto values = network.differentiate(batch, {}).gradient.values;
    const std::vector<float> found(values.begin(), values.end());
    if (threads == 1) expected = found;
    EXPECT_EQ(found, expected) << threads << " threads";
  }
}

const auto kCases =
    ::testing::Combine(::testing::Values(Cell::lstm, Cell::gru, Cell::rnn_tanh, Cell::rnn_relu),
                       ::testing::Values(7, 64), ::testing::Bool());
INSTANTIATE_TEST_SUITE_P(Cells, OnednnCellTest, kCases);
INSTANTIATE_TEST_SUITE_P(Cells, OnednnBf16Test, kCases);

TEST(OnednnBf16ErrorTest, HasNoConsistentArithmetic) {
  Arena arena(1);
  const ModelConfig model{.rnn = {.input_size = 1, .hidden_size = 1}, .output_size = 1};
  EXPECT_THAT(
      [&] {
        Network(model, 1, 1, arena,
                {.backend = BackendKind::onednn,
                 .precision = Precision::bf16,
                 .arithmetic = Arithmetic::consistent});
      },
      ::testing::ThrowsMessage<InvalidArgument>(
          "backend: expected native for arithmetic consistent, found onednn"));
}

}  // namespace
}  // namespace quadgate
