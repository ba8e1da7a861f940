// Sweeps kinds, with and without a convolution, directions, dropout-free cells, ragged lengths from
// one step on, columns beyond those of one task, teams, and batches of changing size. Tolerance:
// 2e-5 of a tensor's largest element against the double reference (its derivatives are complex
// steps); what teams must not change, to the bit.

#include "engine/native/normalization.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "engine/training/network.h"
#include "tests/support/batches.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using testing::expect_reference;
using testing::Random;
using testing::random_batch;
using testing::random_lengths;

constexpr std::int64_t kNormalizedSteps = 11;

/// Two targets, or one of a single column, in three steps.
NormalizationConfig targets_of(Normalize kind, std::int64_t columns) {
  NormalizationConfig config{.kind = kind, .residual = kind == Normalize::none};
  config.columns = {columns - 1};
  if (columns > 1) config.columns.push_back(0);
  return config;
}

ModelConfig normalized_model(Normalize kind, std::int64_t input_size) {
  return {.rnn = {.input_size = input_size, .hidden_size = 6, .bidirectional = true},
          .task = Task::regression,
          .output_size = 6,
          .normalization = targets_of(kind, input_size)};
}

/// Levels that differ from sequence to sequence, as those of a series do.
Batch leveled_batch(const ModelConfig& model, std::int64_t rows, Random& random) {
  const std::int64_t shortest = model.conv ? model.conv->shortest() : 1;
  Batch batch =
      random_batch(model, random_lengths(rows, kNormalizedSteps, random, shortest), random);
  const auto width = static_cast<std::size_t>(model.input_size());
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    const auto level = static_cast<float>(random.integer(-3, 3));
    const auto first = static_cast<std::size_t>(batch.offsets[row]) * width;
    const auto last = static_cast<std::size_t>(batch.offsets[row + 1]) * width;
    for (std::size_t i = first; i < last; ++i) batch.x[i] += level;
    for (std::size_t i = row * 6; i < row * 6 + 6; ++i) batch.targets[i] += level;
  }
  return batch;
}

/// Draws weights and biases that are not those of the beginning.
void draw_affine(Network& network, Random& random) {
  if (!network.config().normalization.is_affine()) return;
  ParameterEditor editor = network.parameters().edit();
  for (float& weight : editor.value("norm.affine_weight")) {
    weight = 1 + 0.5F * random.values(1)[0];
  }
  for (float& bias : editor.value("norm.affine_bias")) bias = random.values(1)[0];
}

void expect_right(const ModelConfig& model) {
  Arena arena(2);
  std::vector<float> alone;
  for (const std::int64_t team_size : {1, 2}) {
    Network network(model, kNormalizedSteps, 9, arena,
                    {.backend = BackendKind::native, .team_size = team_size});
    network.parameters().initialize(3);
    Random random(7);
    draw_affine(network, random);
    std::span<const float> gradients;
    for (const std::int64_t rows : {2, 9, 1, 4}) {
      gradients = expect_reference(network, leveled_batch(model, rows, random), 2e-5).values;
    }
    if (team_size == 1) alone.assign(gradients.begin(), gradients.end());
    EXPECT_TRUE(std::ranges::equal(gradients, alone)) << "team of " << team_size;
  }
}

class NormalizationTest : public ::testing::TestWithParam<Normalize> {};

TEST_P(NormalizationTest, HasTheReferencesOutputsLossAndGradients) {
  for (const std::int64_t input_size : {1, 3, 16, 37}) {
    SCOPED_TRACE(input_size);
    expect_right(normalized_model(GetParam(), input_size));
  }
}

TEST_P(NormalizationTest, LeavesFeaturesWithoutALevel) {
  ModelConfig model = normalized_model(GetParam(), 5);
  model.normalization.without_level = {1, 3};
  expect_right(model);
}

TEST_P(NormalizationTest, IsInFrontOfTheConvolution) {
  ModelConfig model = normalized_model(GetParam(), 4);
  model.conv =
      ConvConfig{.input_size = 19, .channels = 4, .kernel_size = 3, .padding = 1, .pool_size = 2};
  model.normalization = targets_of(GetParam(), 19);
  expect_right(model);
}

TEST_P(NormalizationTest, HasTheOtherLosses) {
  for (const LossKind loss : {LossKind::mae, LossKind::huber}) {
    ModelConfig model = normalized_model(GetParam(), 3);
    model.loss.kind = loss;
    expect_right(model);
  }
}

// Of quantiles each has the level, of a distribution its mean alone.
TEST_P(NormalizationTest, HasTheLossesOfSeveralOutputs) {
  for (const LossKind loss : {LossKind::pinball, LossKind::gaussian, LossKind::student_t}) {
    if (GetParam() == Normalize::instance && loss != LossKind::pinball) continue;
    SCOPED_TRACE(to_string(loss));
    ModelConfig model = normalized_model(GetParam(), 3);
    model.loss.kind = loss;
    if (loss == LossKind::pinball) model.loss.quantiles = {0.1F, 0.5F, 0.8F};
    model.output_size = 6 * model.loss.outputs_per_target();
    expect_right(model);
  }
}

// A level that goes up by ten goes up by ten in all that is told.
class NormalizationOfLevelsTest : public ::testing::TestWithParam<Normalize> {};

TEST_P(NormalizationOfLevelsTest, TellsALevelAsItIs) {
  const ModelConfig model = normalized_model(GetParam(), 3);
  Arena arena(1);
  Network network(model, kNormalizedSteps, 4, arena);
  network.parameters().initialize(1);
  Random random(2);
  Batch batch = leveled_batch(model, 4, random);
  const std::vector<float> before = testing::predict(network, batch);
  for (float& x : batch.x) x += 10;
  const std::vector<float> after = testing::predict(network, batch);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i] + 10, 1e-4);
}

// What does not vary has no scale to divide by but eps.
TEST(NormalizationOfConstantsTest, TellsThemAndIsFinite) {
  const ModelConfig model = normalized_model(Normalize::instance, 2);
  Arena arena(1);
  Network network(model, kNormalizedSteps, 1, arena);
  network.parameters().initialize(1);
  Batch batch;
  batch.x.assign(8, 4);
  batch.offsets = {0, 4};
  batch.targets.assign(6, 4);
  for (const float output : testing::predict(network, batch)) EXPECT_NEAR(output, 4, 0.01);
  const Derivative derivative = network.differentiate(batch, {});
  EXPECT_TRUE(std::isfinite(derivative.gradient.norm));
}

INSTANTIATE_TEST_SUITE_P(Kinds, NormalizationTest,
                         ::testing::Values(Normalize::none, Normalize::last, Normalize::instance),
                         [](const auto& test) {
                           return test.param == Normalize::none
                                      ? std::string("residual")
                                      : std::string(to_string(test.param));
                         });

INSTANTIATE_TEST_SUITE_P(Kinds, NormalizationOfLevelsTest,
                         ::testing::Values(Normalize::last, Normalize::instance),
                         [](const auto& test) { return std::string(to_string(test.param)); });

TEST(NormalizationConfigTest, IsOfARegressionOfFeatures) {
  const ModelConfig good = normalized_model(Normalize::last, 3);
  validate(good);
  const auto expect_refused = [&](auto change, const char* message) {
    ModelConfig bad = good;
    change(bad);
    EXPECT_THAT([&] { validate(bad); },
                ::testing::ThrowsMessage<InvalidArgument>(::testing::HasSubstr(message)));
  };
  expect_refused([](ModelConfig& model) { model.task = Task::classification; },
                 "normalize: expected only for a forecast, found classification");
  expect_refused([](ModelConfig& model) { model.loss.kind = LossKind::bce; },
                 "normalize: expected another loss, found bce");
  expect_refused(
      [](ModelConfig& model) {
        model.loss.kind = LossKind::gaussian;
        model.normalization.kind = Normalize::instance;
      },
      "normalize: instance: expected another loss, without a scale of its own, found gaussian");
  expect_refused([](ModelConfig& model) { model.normalization.columns.clear(); },
                 "normalize: expected 6 values in whole turns of targets among 3 columns, found 0");
  expect_refused(
      [](ModelConfig& model) {
        model.normalization.columns = {0, 1, 2, 0};
      },
      "normalize: expected 6 values in whole turns of targets among 3 columns, found 4");
  expect_refused([](ModelConfig& model) { model.normalization.without_level = {3}; },
                 "expected 6 values in whole turns of targets among 3 columns");
  expect_refused([](ModelConfig& model) { model.normalization.columns[1] = 3; },
                 "normalize: expected 6 values in whole turns of targets among 3 columns, found 2");
  expect_refused([](ModelConfig& model) { model.normalization.residual = true; },
                 "residual: expected false with normalize");
  expect_refused([](ModelConfig& model) { model.embedding.vocabulary_size = 4; },
                 "normalize: expected only for features");
}

}  // namespace
}  // namespace quadgate
