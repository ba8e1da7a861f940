// Sweeps 1 to 20 classes with ignored rows, class weights and smoothing, huge and missing logits,
// and the losses of values at errors up to 90, against the formulas in double and their
// complex-step derivatives. Tolerance: 1e-6 relative, a few epsilon of the float sums and
// exponentials behind a loss.

#include "engine/model/loss.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/error.h"
#include "tests/support/loss_reference.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

using ::testing::HasSubstr;
using testing::reference_loss;
using testing::reference_weight;

constexpr double kOneLossTolerance = 1e-6;
constexpr float kLossScale = 0.25F;

ModelConfig classifier(std::int64_t classes, const LossConfig& loss = {}) {
  return {.rnn = {.input_size = 1, .hidden_size = 1}, .output_size = classes, .loss = loss};
}

ModelConfig regression(std::int64_t size, LossKind kind, double huber_delta = 1) {
  return {.rnn = {.input_size = 1, .hidden_size = 1},
          .task = Task::regression,
          .output_size = size,
          .loss = {.kind = kind, .huber_delta = huber_delta}};
}

std::string message_of(const ModelConfig& config) {
  try {
    validate(config);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "";
}

/// Expects the reference's loss, weight and gradient of rows of `outputs`.
void expect_reference(const ModelConfig& config, const Batch& batch,
                      const std::vector<float>& outputs) {
  const auto size = static_cast<std::size_t>(config.output_size);
  const Loss loss(config);
  std::vector<float> gradient(outputs.size(), NAN);
  const Metrics metrics =
      config.task == Task::regression
          ? loss.of_values(outputs, batch.targets, kLossScale, gradient.data())
          : loss.of_labels(outputs.data(), batch.labels, kLossScale, gradient.data());
  double expected = 0;
  double weight = 0;
  for (std::size_t row = 0; row < outputs.size() / size; ++row) {
    std::vector<double> slopes(&outputs[row * size], &outputs[row * size] + size);
    expected += reference_loss(config, batch, row, slopes);
    weight += reference_weight(config, batch, row);
    for (std::size_t c = 0; c < size; ++c) {
      EXPECT_NEAR(gradient[row * size + c], slopes[c] * kLossScale,
                  kOneLossTolerance * std::max(1.0, std::abs(slopes[c])));
    }
  }
  EXPECT_NEAR(metrics.loss, expected, kOneLossTolerance * std::max(expected, 1.0));
  EXPECT_NEAR(metrics.weight, weight, kOneLossTolerance * weight);
  EXPECT_EQ(loss.of_batch(batch, outputs).loss, metrics.loss);
}

TEST(CrossEntropyTest, FollowsTheFormula) {
  testing::Random random(1);
  for (std::int64_t classes = 1; classes <= 20; ++classes) {
    const auto columns = static_cast<std::size_t>(classes);
    std::vector<float> weights = random.values(columns);
    for (float& weight : weights) weight += 1.5F;
    for (const auto& loss :
         {LossConfig{}, LossConfig{.class_weights = weights}, LossConfig{.label_smoothing = 0.1},
          LossConfig{.label_smoothing = 0.7, .class_weights = weights, .ignore_index = 255}}) {
      Batch batch;
      batch.labels.resize(90);
      for (auto& label : batch.labels) label = random.integer(0, classes - 1);
      batch.labels[2] = batch.labels[5] = batch.labels[77] = loss.ignore_index;
      expect_reference(classifier(classes, loss), batch, random.values(90 * columns, 4));
    }
  }
}

TEST(CrossEntropyTest, CountsWhatIsNotIgnored) {
  const std::vector<float> logits{1, 0, 0, 1, 1, 0, 1, 0};
  const std::vector<std::int64_t> labels{0, 0, 1, 1};
  const Loss all(classifier(2, {.class_weights = {1, 3}}));
  Metrics metrics = all.of_labels(logits.data(), labels, 1, nullptr);
  EXPECT_EQ(metrics.items, 4);
  EXPECT_EQ(metrics.correct, 1);
  EXPECT_EQ(metrics.weight, 8);
  const Loss ones(classifier(2, {.class_weights = {1, 3}, .ignore_index = 0}));
  metrics = ones.of_labels(logits.data(), labels, 1, nullptr);
  EXPECT_EQ(metrics.items, 2);
  EXPECT_EQ(metrics.correct, 0);
  EXPECT_EQ(metrics.weight, 6);
}

TEST(CrossEntropyTest, HasNoItemsWhereAllAreIgnored) {
  std::vector<float> logits{1, NAN};
  const std::vector<std::int64_t> labels{kIgnoreIndex};
  const Metrics metrics = Loss(classifier(2)).of_labels(logits.data(), labels, 1, logits.data());
  EXPECT_EQ(metrics.items, 0);
  EXPECT_EQ(metrics.loss, 0);
  EXPECT_TRUE(std::isnan(metrics.mean_loss()));
  EXPECT_EQ(logits, (std::vector<float>{0, 0}));
}

TEST(CrossEntropyTest, DoesNotOverflow) {
  const std::vector<float> logits{1000, -1000, 999};
  const std::vector<std::int64_t> labels{1};
  std::vector<float> gradient(3);
  const Metrics metrics = Loss(classifier(3)).of_labels(logits.data(), labels, 1, gradient.data());
  EXPECT_NEAR(metrics.loss, 2000 + std::log1p(std::exp(-1)), 2000 * kOneLossTolerance);
  EXPECT_NEAR(gradient[0], 1 / (1 + std::exp(-1)), kOneLossTolerance);
  EXPECT_EQ(gradient[1], -1);
}

TEST(CrossEntropyTest, ShowsLogitsThatAreNotFinite) {
  const std::vector<std::int64_t> labels{0};
  const Loss loss(classifier(3));
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
    for (std::size_t position = 0; position < 3; ++position) {
      std::vector<float> logits{0, 1, 2};
      logits[position] = bad;
      EXPECT_FALSE(std::isfinite(loss.of_labels(logits.data(), labels, 1, nullptr).loss))
          << bad << " at " << position;
    }
  }
}

TEST(ValueLossTest, FollowsTheFormula) {
  testing::Random random(2);
  std::vector<float> outputs = random.values(50, 3);
  outputs[7] = 90;  // where a sigmoid is all but 1
  outputs[8] = -90;
  Batch batch;
  batch.targets = random.values(50, 3);
  expect_reference(regression(5, LossKind::mse), batch, outputs);
  expect_reference(regression(5, LossKind::mae), batch, outputs);
  for (const double delta : {0.1, 1.0, 2.5}) {
    expect_reference(regression(5, LossKind::huber, delta), batch, outputs);
  }
  outputs[7] = 9;  // the reference cancels beyond
  outputs[8] = -9;
  for (float& target : batch.targets) target = (target + 3) / 6;
  expect_reference(regression(5, LossKind::bce), batch, outputs);
}

ModelConfig of_several(LossKind kind, std::vector<float> quantiles = {}) {
  ModelConfig model = regression(6, kind);
  model.loss.quantiles = std::move(quantiles);
  return model;
}

TEST(SeveralOutputsLossTest, FollowsTheFormula) {
  testing::Random random(3);
  std::vector<float> outputs = random.values(60, 3);
  outputs[7] = 30;  // scales and degrees of freedom that are large, and all but the least
  outputs[8] = 12;
  outputs[13] = -9;
  outputs[14] = -12;
  for (const auto& model :
       {of_several(LossKind::pinball, {0.1F, 0.5F, 0.9F}),
        of_several(LossKind::pinball, {0.05F, 0.2F}), of_several(LossKind::pinball, {0.7F}),
        of_several(LossKind::gaussian), of_several(LossKind::student_t)}) {
    SCOPED_TRACE(to_string(*model.loss.kind));
    Batch batch;
    batch.targets = random.values(static_cast<std::size_t>(10 * model.target_size()), 3);
    expect_reference(model, batch, outputs);
  }
}

TEST(SeveralOutputsLossTest, TellsWhatTheyAre) {
  const LossConfig pinball = of_several(LossKind::pinball, {0.1F, 0.45F, 0.975F}).loss;
  EXPECT_THAT(pinball.output_names(), ::testing::ElementsAre("q0.1", "q0.45", "q0.975"));
  EXPECT_EQ(pinball.point(), 1);
  EXPECT_THAT(of_several(LossKind::gaussian).loss.output_names(),
              ::testing::ElementsAre("mean", "scale"));
  EXPECT_THAT(of_several(LossKind::student_t).loss.output_names(),
              ::testing::ElementsAre("mean", "scale", "df"));
  EXPECT_THAT(LossConfig{}.output_names(), ::testing::IsEmpty());
  EXPECT_EQ(LossConfig{}.outputs_per_target(), 1);

  const Loss loss(of_several(LossKind::student_t));
  EXPECT_EQ(loss.value(0.5F, 0), 0.5F);
  EXPECT_NEAR(loss.value(0.5F, 1), std::log1p(std::exp(0.5)) + 1e-6, 1e-6);
  EXPECT_NEAR(loss.value(0.5F, 2), 2 + std::log1p(std::exp(0.5)), 1e-6);
  EXPECT_THAT(loss.points(std::vector<float>{1, 2, 3, 4, 5, 6}), ::testing::ElementsAre(1, 4));
}

TEST(SeveralOutputsLossTest, CountsTargetsAndErrorsOfThePoint) {
  const std::vector<float> outputs{0, 2, 9, -1, 0, 1};
  const std::vector<float> targets{1, 3};
  const Loss loss(of_several(LossKind::pinball, {0.1F, 0.5F, 0.9F}));
  const Metrics metrics = loss.of_values(outputs, targets, 1, nullptr);
  EXPECT_EQ(metrics.items, 2);
  EXPECT_EQ(metrics.weight, 6);
  EXPECT_EQ(metrics.squared_error, 1 + 9);
  EXPECT_NEAR(metrics.loss, 0.1 + 0.5 + 0.8 + 0.4 + 1.5 + 1.8, 1e-6);
  Batch batch;
  batch.offsets = {0, 1};
  batch.targets = targets;
  EXPECT_EQ(loss.weight(batch), 6);
  loss.expect_targets(batch);
  batch.targets = outputs;
  EXPECT_THROW(loss.expect_targets(batch), InvalidArgument);
}

TEST(ValueLossTest, KeepsErrorsBesideTheLoss) {
  const std::vector<float> outputs{1, -2, 0.5F};
  const std::vector<float> targets{0.5F, 1, 0.5F};
  for (const LossKind kind : {LossKind::mse, LossKind::mae, LossKind::huber}) {
    std::vector<float> gradient(3, NAN);
    const Loss loss(regression(3, kind));
    const Metrics metrics = loss.of_values(outputs, targets, kLossScale, gradient.data());
    EXPECT_EQ(metrics.items, 3);
    EXPECT_EQ(metrics.weight, 3);
    EXPECT_DOUBLE_EQ(metrics.squared_error, 0.25 + 9);
    EXPECT_DOUBLE_EQ(metrics.absolute_error, 0.5 + 3);
    EXPECT_EQ(metrics.correct, 0);
    EXPECT_EQ(gradient[2], 0);  // no error, no slope, also where there is an edge
    EXPECT_EQ(loss.value(0.25F, 0), 0.25F);
  }
}

TEST(ValueLossTest, ComparesSigmoidsUnderBce) {
  const Loss loss(regression(2, LossKind::bce));
  const std::vector<float> outputs{0, 1000};
  const std::vector<float> targets{0, 0.5F};
  std::vector<float> gradient(2);
  const Metrics metrics = loss.of_values(outputs, targets, 1, gradient.data());
  EXPECT_NEAR(metrics.loss, std::log(2) + 500, 500 * kOneLossTolerance);
  EXPECT_EQ(metrics.squared_error, 0.25 + 0.25);
  EXPECT_EQ(metrics.absolute_error, 0.5 + 0.5);
  EXPECT_EQ(gradient, (std::vector<float>{0.5F, 0.5F}));
  EXPECT_EQ(loss.value(0, 0), 0.5F);
  EXPECT_EQ(loss.value(-1000, 0), 0);
  EXPECT_TRUE(std::isnan(loss.value(NAN, 0)));
}

TEST(ValueLossTest, ShowsOutputsThatAreNotFinite) {
  for (const LossKind kind : {LossKind::mse, LossKind::mae, LossKind::huber, LossKind::bce}) {
    std::vector<float> outputs{NAN};
    const std::vector<float> targets{1};
    const Metrics metrics =
        Loss(regression(1, kind)).of_values(outputs, targets, 1, outputs.data());
    EXPECT_TRUE(std::isnan(metrics.loss)) << to_string(kind);
    EXPECT_TRUE(std::isnan(outputs[0])) << to_string(kind);
  }
}

TEST(LossTargetsTest, NamesLabelsAndTargetsOutOfRange) {
  const auto message = [](const ModelConfig& config, const Batch& batch) -> std::string {
    try {
      Loss(config).expect_targets(batch);
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  };
  Batch batch{.x = {}, .tokens = {}, .offsets = {0, 1}, .labels = {-1}, .targets = {}};
  EXPECT_EQ(message(classifier(3), batch),
            "label: expected 0 to 2 or ignore_index (-100), found -1");
  EXPECT_EQ(message(classifier(3, {.ignore_index = -1}), batch), "");
  batch.labels = {3};
  EXPECT_THAT(message(classifier(3), batch), HasSubstr("found 3"));
  for (const float target : {-0.5F, 1.5F, NAN}) {
    batch.targets = {target};
    EXPECT_THAT(message(regression(1, LossKind::bce), batch),
                HasSubstr("target: expected 0 to 1 for the loss bce, found"));
    EXPECT_EQ(message(regression(1, LossKind::huber), batch), "");
  }
  batch.targets = {-NAN};
  EXPECT_THAT(message(regression(1, LossKind::bce), batch), HasSubstr("found nan"));
  batch.targets = {1};
  EXPECT_EQ(message(regression(1, LossKind::bce), batch), "");
  EXPECT_THROW(Loss(regression(2, LossKind::bce)).expect_targets(batch), InvalidArgument);
}

TEST(LossConfigTest, NamesEveryLoss) {
  for (const auto kind :
       {LossKind::cross_entropy, LossKind::mse, LossKind::mae, LossKind::huber, LossKind::bce,
        LossKind::pinball, LossKind::gaussian, LossKind::student_t}) {
    EXPECT_EQ(parse_loss(to_string(kind)), kind);
  }
  EXPECT_FALSE(parse_loss("MSE").has_value());
  EXPECT_EQ(LossConfig{}.kind_for(Task::tagging), LossKind::cross_entropy);
  EXPECT_EQ(LossConfig{}.kind_for(Task::regression), LossKind::mse);
}

TEST(LossConfigTest, RefusesWhatDoesNotSuit) {
  const auto of_labels = [](const LossConfig& loss) { return message_of(classifier(3, loss)); };
  EXPECT_EQ(of_labels({}), "");
  EXPECT_EQ(of_labels({.kind = LossKind::mse}),
            "loss: expected cross_entropy for classification, found mse");
  EXPECT_EQ(of_labels({.label_smoothing = 1}),
            "label_smoothing: expected at least 0 and below 1, found 1");
  EXPECT_THAT(of_labels({.label_smoothing = -0.1}), HasSubstr("label_smoothing"));
  EXPECT_THAT(of_labels({.label_smoothing = NAN}), HasSubstr("label_smoothing"));
  EXPECT_EQ(of_labels({.class_weights = {1, 2}}),
            "class_weights: expected 3 numbers, one a class, found 2");
  EXPECT_THAT(of_labels({.class_weights = {1, -2, 3}}), HasSubstr("at least 0, found -2"));
  EXPECT_THAT(of_labels({.class_weights = {1, INFINITY, 3}}), HasSubstr("found inf"));
  EXPECT_EQ(of_labels({.class_weights = {0, 0, 0}}),
            "class_weights: expected at least one above 0, found none");
  EXPECT_THAT(of_labels({.huber_delta = 2}), HasSubstr("huber_delta: expected only with"));

  ModelConfig values = regression(3, LossKind::huber);
  EXPECT_EQ(message_of(values), "");
  for (const double delta : {0.0, -1.0, double{NAN}, double{INFINITY}}) {
    values.loss.huber_delta = delta;
    EXPECT_THAT(message_of(values), HasSubstr("huber_delta: expected a finite number above 0"));
  }
  const auto of_values = [&](const LossConfig& loss) {
    values.loss = loss;
    return message_of(values);
  };
  EXPECT_EQ(
      of_values({.kind = LossKind::cross_entropy}),
      "loss: expected mse, mae, huber, bce, pinball, gaussian or student_t for regression, found "
      "cross_entropy");
  EXPECT_EQ(of_values({.label_smoothing = 0.1}),
            "label_smoothing: expected only with the loss cross_entropy, found mse");
  EXPECT_THAT(of_values({.class_weights = {1, 1, 1}}), HasSubstr("class_weights"));
  EXPECT_THAT(of_values({.ignore_index = 0}), HasSubstr("ignore_index"));
  EXPECT_EQ(of_values({.quantiles = {0.5F}}),
            "quantiles: expected only with the loss pinball, found mse");
  EXPECT_EQ(of_values({.kind = LossKind::pinball}),
            "quantiles: expected at least one with the loss pinball, found none");
  for (const std::vector<float>& quantiles : {std::vector<float>{0, 0.5F, 0.9F},
                                              {0.1F, 0.5F, 1},
                                              {0.5F, 0.1F, 0.9F},
                                              {NAN, 0.5F, 0.9F},
                                              {0.5F, 0.5F, 0.9F}}) {
    EXPECT_THAT(of_values({.kind = LossKind::pinball, .quantiles = quantiles}),
                HasSubstr("quantiles: expected rising numbers above 0 and below 1, found"));
  }
  EXPECT_EQ(of_values({.kind = LossKind::pinball, .quantiles = {0.1F, 0.9F}}),
            "output_size: expected 2 outputs a target with the loss pinball, found 3");
  EXPECT_EQ(of_values({.kind = LossKind::gaussian}),
            "output_size: expected 2 outputs a target with the loss gaussian, found 3");
  EXPECT_EQ(of_values({.kind = LossKind::student_t}), "");
}

TEST(MetricsTest, AddsUpAndDivides) {
  Metrics sum{
      .items = 3, .loss = 6, .weight = 6, .squared_error = 2, .absolute_error = 1.5, .correct = 2};
  sum +=
      {.items = 1, .loss = 2, .weight = 2, .squared_error = 1, .absolute_error = 0.5, .correct = 1};
  EXPECT_EQ(sum.items, 4);
  EXPECT_EQ(sum.mean_loss(), 1);
  EXPECT_EQ(sum.mean_squared_error(), 0.75);
  EXPECT_EQ(sum.mean_absolute_error(), 0.5);
  EXPECT_EQ(sum.accuracy(), 0.75);
}

}  // namespace
}  // namespace quadgate
