// Sweeps both backends, clipping below and above the norm, batches that cannot be trained on, and
// 60 steps that have to learn a task. Tolerance: 1e-6 of the largest weight for the clipped step,
// the rounding of one float update; the rest is compared with none.

#include "engine/training/trainer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "engine/base/error.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"

namespace quadgate {
namespace {

using testing::Random;
using testing::random_batch;

ModelConfig classifier() { return {.rnn = {.input_size = 2, .hidden_size = 8}, .output_size = 2}; }

class TrainerTest : public ::testing::TestWithParam<BackendKind> {
 protected:
  TrainerTest() { network_.parameters().initialize(1); }
  std::vector<float> weights() const {
    const auto values = network_.parameters().values();
    return {values.begin(), values.end()};
  }
  OptimizerConfig sgd(double lr, std::optional<double> clip_norm = {}) const {
    return {.kind = OptimizerConfig::Kind::sgd, .lr = lr, .clip_norm = clip_norm};
  }

  Arena arena_{2};
  Random random_{1};
  Network network_{classifier(), 6, 10, arena_, {.backend = GetParam()}};
  Batch batch_ = random_batch(classifier(), random_lengths(10, 6, random_), random_);
};

TEST_P(TrainerTest, ClipsByTheGlobalNorm) {
  const Gradient found = network_.differentiate(batch_, {}).gradient;
  const double norm = found.norm;
  const std::vector<float> gradient(found.values.begin(), found.values.end());
  for (const double clip_norm : {norm / 10, norm * 10}) {
    network_.parameters().initialize(1);
    auto expected = weights();
    const double scale = std::min(1.0, clip_norm / (norm + 1e-6));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] -= static_cast<float>(0.5 * scale) * gradient[i];
    }
    Trainer(network_, sgd(0.5, clip_norm), 1).step(batch_);
    EXPECT_LE(testing::relative_error(weights(), expected), 1e-6) << clip_norm;
  }
}

TEST_P(TrainerTest, AccumulatesTheMeanGradientAndClipsIt) {
  Batch other = random_batch(classifier(), random_lengths(7, 6, random_), random_);
  std::vector<float> mean(weights().size());
  for (Batch* batch : {&batch_, &other, &batch_}) {
    const auto gradients = network_.differentiate(*batch, {}).gradient.values;
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += gradients[i] / 3;
  }
  const double norm = std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
  for (const double clip_norm : {norm / 10, norm * 10}) {
    network_.parameters().initialize(1);
    const auto before = weights();
    auto expected = before;
    const double scale = std::min(1.0, clip_norm / (norm + 1e-6));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expected[i] -= static_cast<float>(0.5 * scale) * mean[i];
    }
    OptimizerConfig config = sgd(0.5, clip_norm);
    config.accumulate_steps = 3;
    Trainer trainer(network_, config, 1);
    trainer.step(batch_);
    trainer.step(other);
    EXPECT_EQ(trainer.waiting(), 2);
    EXPECT_EQ(weights(), before);
    trainer.step(batch_);
    EXPECT_EQ(trainer.waiting(), 0);
    EXPECT_EQ(trainer.optimizer().steps(), 1);
    EXPECT_LE(testing::relative_error(weights(), expected), 1e-6) << clip_norm;
  }
}

TEST_P(TrainerTest, FinishesAnUpdateOfFewerBatches) {
  const auto gradients = network_.differentiate(batch_, {}).gradient.values;
  auto expected = weights();
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] -= 0.25F * gradients[i];
  OptimizerConfig config = sgd(1);
  config.accumulate_steps = 4;
  Trainer trainer(network_, config, 1);
  trainer.finish_update();
  EXPECT_EQ(trainer.optimizer().steps(), 0);
  trainer.step(batch_);
  trainer.finish_update();
  EXPECT_EQ(trainer.optimizer().steps(), 1);
  EXPECT_EQ(trainer.waiting(), 0);
  EXPECT_LE(testing::relative_error(weights(), expected), 1e-6);
}

TEST_P(TrainerTest, DrawsOtherDropoutForEveryBatchOfAnUpdate) {
  ModelConfig model = classifier();
  model.rnn.num_layers = 2;
  model.rnn.dropout = 0.5;
  Network network(model, 6, 10, arena_, {.backend = GetParam()});
  network.parameters().initialize(1);
  OptimizerConfig config = sgd(0.1);
  config.accumulate_steps = 2;
  Trainer trainer(network, config, 1);
  const double first = trainer.step(batch_).loss;
  EXPECT_NE(trainer.step(batch_).loss, first);
}

TEST_P(TrainerTest, GivesTheMetricsBeforeTheUpdate) {
  const Metrics before = network_.evaluate(batch_);
  Trainer trainer(network_, sgd(0.1), 1);
  const Metrics metrics = trainer.step(batch_);
  EXPECT_EQ(metrics.loss, before.loss);
  EXPECT_EQ(metrics.items, 10);
  EXPECT_EQ(trainer.optimizer().steps(), 1);
  EXPECT_LT(network_.evaluate(batch_).loss, before.loss);  // with the new weights
}

TEST_P(TrainerTest, LearnsWhetherTheSumIsPositive) {
  Trainer trainer(network_, {.lr = 0.02, .clip_norm = 1.0}, 1);
  Metrics metrics;
  for (int step = 0; step < 300; ++step) {
    Batch batch = random_batch(classifier(), random_lengths(10, 6, random_), random_);
    for (std::size_t row = 0; row < batch.labels.size(); ++row) {
      float sum = 0;
      for (std::int64_t i = 2 * batch.offsets[row]; i < 2 * batch.offsets[row + 1]; ++i) {
        sum += batch.x[static_cast<std::size_t>(i)];
      }
      batch.labels[row] = sum > 0 ? 1 : 0;
    }
    const Metrics of_step = trainer.step(batch);
    if (step >= 250) metrics += of_step;
  }
  EXPECT_GT(metrics.accuracy(), 0.9);
}

TEST_P(TrainerTest, LeavesTheWeightsAloneIfTheLossIsNotFinite) {
  Trainer trainer(network_, {.lr = 0.1, .clip_norm = 1.0}, 1);
  trainer.step(batch_);
  const auto before = weights();
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity}) {
    for (const std::size_t position : {std::size_t{0}, batch_.x.size() / 2, batch_.x.size() - 1}) {
      Batch wrong = batch_;
      wrong.x[position] = bad;
      EXPECT_THROW(trainer.step(wrong), DataError) << bad << " at " << position;
      EXPECT_EQ(weights(), before);
      EXPECT_EQ(trainer.optimizer().steps(), 1);
    }
  }
  EXPECT_NO_THROW(trainer.step(batch_));
}

TEST_P(TrainerTest, SaysThatTrainingDiverged) {
  ModelConfig config = classifier();
  config.task = Task::regression;
  Network network(config, 6, 10, arena_, {.backend = GetParam()});
  Trainer trainer(network, sgd(1e10), 1);
  const Batch batch = random_batch(config, random_lengths(10, 6, random_), random_);
  try {
    for (int step = 0; step < 10; ++step) trainer.step(batch);
    FAIL() << "lr 1e10 was survived";
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("expected a finite loss and gradient"));
  }
}

TEST_P(TrainerTest, RefusesWhatTheNetworkOrTheOptimizerRefuses) {
  EXPECT_THROW(Trainer(network_, sgd(-1), 1), InvalidArgument);
  Trainer trainer(network_, sgd(0.1), 1);
  const auto before = weights();
  EXPECT_THROW(trainer.step({}), InvalidArgument);
  Batch wrong = batch_;
  wrong.labels[3] = 2;
  EXPECT_THROW(trainer.step(wrong), DataError);
  EXPECT_EQ(weights(), before);
  EXPECT_EQ(trainer.optimizer().steps(), 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, TrainerTest, testing::both_backends(), testing::backend_name);

}  // namespace
}  // namespace quadgate
