// Sweeps kernel sizes, paddings and pool sizes, channels and features around the vector lengths of
// every ISA, ragged lengths from the shortest that give a step on, tokens and features, teams, and
// batches of changing size. Tolerance: 2e-5 of a tensor's largest element against the double
// reference (float sums over up to 200 steps); what company and teams must not change, to the bit.

#include "engine/native/conv.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/base/error.h"
#include "engine/training/network.h"
#include "kernels/base/isa.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/batches.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using testing::expect_reference;
using ::testing::HasSubstr;
using testing::predict;
using testing::Random;
using testing::random_batch;
using testing::random_lengths;
using testing::select_rows;

constexpr double kConvTolerance = 2e-5;
constexpr std::int64_t kConvSteps = 13;

ModelConfig model_with(const ConvConfig& conv) {
  return {.rnn = {.input_size = conv.channels, .hidden_size = 5, .bidirectional = true},
          .output_size = 3,
          .conv = conv};
}

Batch ragged_batch(const ModelConfig& model, std::int64_t rows, Random& random) {
  return random_batch(model, random_lengths(rows, kConvSteps, random, model.conv->shortest()),
                      random);
}

TEST(ConvConfigTest, CountsTheStepsThatComeOut) {
  const ConvConfig conv{.channels = 1, .kernel_size = 3, .padding = 1, .pool_size = 2};
  EXPECT_EQ(conv.output_length(7), 3);
  EXPECT_EQ(conv.output_length(8), 4);
  EXPECT_EQ(conv.shortest(), 2);
  EXPECT_EQ(conv.output_length(2), 1);
  EXPECT_EQ((ConvConfig{.kernel_size = 5}).output_length(5), 1);
  EXPECT_EQ((ConvConfig{.kernel_size = 5}).shortest(), 5);
  EXPECT_EQ((ConvConfig{.kernel_size = 3, .padding = 2}).shortest(), 1);
}

class NativeConvTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    if (!IsSkipped()) kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  /// Batches of growing and falling size against the reference, in teams of one and of two.
  static void expect_right(const ModelConfig& model) {
    Arena arena(2);
    std::vector<float> alone;
    for (const std::int64_t team_size : {1, 2}) {
      Network network(model, kConvSteps, 9, arena,
                      {.backend = BackendKind::native, .team_size = team_size});
      network.parameters().initialize(3);
      Random random(7);
      std::span<const float> gradients;
      for (const std::int64_t rows : {2, 9, 1, 4}) {
        gradients =
            expect_reference(network, ragged_batch(model, rows, random), kConvTolerance).values;
      }
      if (team_size == 1) alone.assign(gradients.begin(), gradients.end());
      EXPECT_TRUE(std::ranges::equal(gradients, alone)) << "team of " << team_size;
    }
  }
};

TEST_P(NativeConvTest, HasTheReferencesOutputsLossAndGradients) {
  for (const std::int64_t kernel_size : {1, 2, 3, 5}) {
    for (std::int64_t padding = 0; padding < kernel_size; ++padding) {
      for (const std::int64_t pool_size : {1, 2, 3}) {
        SCOPED_TRACE(::testing::Message() << kernel_size << " " << padding << " " << pool_size);
        expect_right(model_with({.input_size = 4,
                                 .channels = 6,
                                 .kernel_size = kernel_size,
                                 .padding = padding,
                                 .pool_size = pool_size}));
      }
    }
  }
}

TEST_P(NativeConvTest, HasThemAtEveryWidth) {
  for (const std::int64_t input_size : {1, 7, 33}) {
    for (const std::int64_t channels : {1, 15, 33, 65}) {
      SCOPED_TRACE(::testing::Message() << input_size << " -> " << channels);
      expect_right(model_with({.input_size = input_size,
                               .channels = channels,
                               .kernel_size = 3,
                               .padding = 1,
                               .pool_size = 2}));
    }
  }
}

TEST_P(NativeConvTest, DifferentiatesTheEmbeddingInFrontOfIt) {
  for (const std::int64_t padding : {0, 1, 3}) {
    for (const std::int64_t pool_size : {1, 2}) {
      ModelConfig model = model_with({.input_size = 19,
                                      .channels = 6,
                                      .kernel_size = 4,
                                      .padding = padding,
                                      .pool_size = pool_size});
      model.embedding = {.vocabulary_size = 12, .padding_index = 2};
      expect_right(model);
    }
  }
}

TEST_P(NativeConvTest, TagsEveryStep) {
  ModelConfig model = model_with({.input_size = 4, .channels = 6, .kernel_size = 5, .padding = 2});
  model.task = Task::tagging;
  expect_right(model);
}

INSTANTIATE_TEST_SUITE_P(Isas, NativeConvTest, kernels::all_isas(), kernels::isa_name);

TEST(NativeConvRowsTest, CompanyChangesNoBitOfARow) {
  ModelConfig model =
      model_with({.input_size = 4, .channels = 20, .kernel_size = 3, .padding = 2, .pool_size = 2});
  for (const bool tokens : {false, true}) {
    if (tokens) model.embedding = {.vocabulary_size = 9};
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      Arena arena(2);
      Network network(model, kConvSteps, 6, arena, {.precision = precision});
      network.parameters().initialize(3);
      Random random(5);
      const Batch batch = ragged_batch(model, 6, random);
      const auto together = predict(network, batch);
      for (std::int64_t row = 0; row < 6; ++row) {
        const auto alone = predict(network, select_rows(model, batch, {row}));
        EXPECT_TRUE(std::ranges::equal(
            alone, std::span(together).subspan(static_cast<std::size_t>(row * 3), 3)))
            << row;
      }
    }
  }
}

TEST(NativeConvRowsTest, TheFirstOfEqualValuesHasTheGradient) {
  const ModelConfig model =
      model_with({.input_size = 4, .channels = 6, .kernel_size = 3, .padding = 1, .pool_size = 3});
  Arena arena(1);
  Network network(model, kConvSteps, 9, arena);
  network.parameters().initialize(3);
  {
    ParameterEditor editor = network.parameters().edit();
    std::ranges::fill(editor.value("conv.weight"), 0.0F);
    std::ranges::fill(editor.value("conv.bias"), 0.5F);
  }
  Random random(7);
  expect_reference(network, ragged_batch(model, 9, random), kConvTolerance);
}

// What the dropout of the recurrent stack's input leaves of the derivative comes back through ReLU
// and pooling. There is no reference with both, so the slope of the loss itself is one; 3 % of it,
// since it is the difference of floats.
TEST(NativeConvRowsTest, GradientsAreSlopesUnderDropout) {
  ModelConfig model =
      model_with({.input_size = 4, .channels = 6, .kernel_size = 3, .pool_size = 2});
  model.embedding.vocabulary_size = 11;
  model.rnn.input_dropout = 0.4;
  model.rnn.output_dropout = 0.2;
  model.rnn.weight_dropout = 0.3;
  for (const bool locked : {false, true}) {
    model.rnn.locked_dropout = locked;
    Arena arena(2);
    Network network(model, kConvSteps, 8, arena);
    Parameters& parameters = network.parameters();
    parameters.initialize(5);
    Random random(2);
    const Batch batch = ragged_batch(model, 8, random);
    const auto differentiate = [&] { return network.differentiate(batch, {.seed = 1, .step = 3}); };
    const auto flat = differentiate().gradient.values;
    const std::vector<float> gradients(flat.begin(), flat.end());
    for (const char* name : {"embedding.weight", "conv.weight", "conv.bias"}) {
      const ParameterSlice& slice = parameters.slice(name);
      const auto gradient = std::span(gradients).subspan(slice.offset, slice.size);
      const double norm =
          std::sqrt(std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0));
      const auto values = parameters.value(slice);
      const std::vector<float> before(values.begin(), values.end());
      const auto loss_at = [&](double along) {
        {
          ParameterEditor editor = parameters.edit();
          for (std::size_t i = 0; i < before.size(); ++i) {
            editor.value(slice)[i] = before[i] + static_cast<float>(along * gradient[i] / norm);
          }
        }
        const double loss = differentiate().metrics.mean_loss();
        ParameterEditor editor = parameters.edit();
        std::ranges::copy(before, editor.value(slice).begin());
        return loss;
      };
      constexpr double kStep = 1.0 / 512;
      EXPECT_NEAR((loss_at(kStep) - loss_at(-kStep)) / (2 * kStep), norm, 0.03 * norm)
          << name << ", locked " << locked;
    }
  }
}

TEST(NativeConvRowsTest, WhatIsNotANumberIsNotHidden) {
  const ModelConfig model =
      model_with({.input_size = 4, .channels = 6, .kernel_size = 3, .pool_size = 3});
  Arena arena(1);
  Network network(model, kConvSteps, 9, arena);
  network.parameters().initialize(3);
  {
    ParameterEditor editor = network.parameters().edit();
    editor.value("conv.bias")[4] = NAN;
  }
  Random random(7);
  EXPECT_TRUE(std::isnan(network.evaluate(ragged_batch(model, 9, random)).loss));
}

/// The message of what `body` throws.
template <typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(NativeConvRowsTest, WhatDoesNotFitIsNamed) {
  const ModelConfig model =
      model_with({.input_size = 2, .channels = 6, .kernel_size = 5, .padding = 1, .pool_size = 2});
  Arena arena(1);
  Network network(model, 8, 3, arena);
  Random random(1);
  EXPECT_THAT(message_of([&] {
                network.evaluate(random_batch(model, {8, 3, 4}, random));
              }),
              HasSubstr("batch row 1: length: expected 4 to 8, found 3 (kernel_size 5, padding 1, "
                        "pool_size 2)"));
  EXPECT_THAT(message_of([&] { network.evaluate(random_batch(model, {9}, random)); }),
              HasSubstr("batch row 0: length: expected 4 to 8, found 9"));
  Batch narrow = random_batch(model, {8}, random);
  narrow.x.resize(8 * 6);
  EXPECT_THAT(message_of([&] { network.evaluate(narrow); }),
              HasSubstr("batch x: expected 16 values, found 48"));
  EXPECT_THAT(message_of([&] { const Network other(model, 3, 3, arena); }),
              HasSubstr("seq_len: expected at least 4, found 3 (kernel_size 5, padding 1, "
                        "pool_size 2)"));
  ModelConfig one_way = model;
  one_way.rnn.bidirectional = false;
  EXPECT_THAT(
      message_of([&] { const Network other(one_way, 8, 3, arena, {.carries_states = true}); }),
      HasSubstr("carries_states: expected no convolution, found one"));
}

}  // namespace
}  // namespace quadgate
