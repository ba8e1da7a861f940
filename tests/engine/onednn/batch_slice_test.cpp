// Sweeps the three tasks with a slice of 4 rows over a batch of 6, where the second call fills it
// half. Tolerance: 2e-5 of the largest element, as for the network. What lies outside of the
// slice's rows is compared with none.

#include "engine/onednn/batch_slice.h"

#include <gtest/gtest.h>

#include <cmath>
#include <optional>
#include <utility>

#include "tests/support/batches.h"
#include "tests/support/network_reference.h"

namespace quadgate::onednn {
namespace {

using testing::network_reference;

constexpr double kSliceTolerance = 2e-5;

class ShardTest : public ::testing::TestWithParam<Task> {
 protected:
  ShardTest()
      : config_{.rnn = {.input_size = 2, .hidden_size = 3, .bidirectional = true},
                .task = GetParam(),
                .output_size = 3},
        parameters_(config_),
        weights_(config_.rnn, parameters_, 5, 4),
        sum_(config_.rnn, parameters_, weights_),
        batch_(random_batch(config_, {5, 1, 3, 2, 4, 5}, random_)) {
    parameters_.initialize(1);
    weights_.pack(arena_);
    arena_.for_each(1, [&](std::int64_t) { slice_.emplace(config_, parameters_, weights_, 5, 4); });
  }

  testing::Random random_{1};
  Arena arena_{1};
  ModelConfig config_;
  Parameters parameters_;
  StackWeights weights_;
  GradientSum sum_;
  Batch batch_;
  std::optional<BatchSlice> slice_;
};

TEST_P(ShardTest, TwoShardsMakeTheBatch) {
  const auto expected = network_reference(config_, parameters_, batch_);
  std::vector<float> outputs(expected.outputs.size(), NAN);
  std::vector<Buffer> gradients;
  Metrics metrics;
  const std::int64_t items = config_.task == Task::tagging      ? batch_.steps()
                             : config_.task == Task::regression ? batch_.rows() * 3
                                                                : batch_.rows();
  for (const std::int64_t first_row : {0, 4}) {
    gradients.emplace_back(sum_.slice_size());
    arena_.for_each(1, [&](std::int64_t) {
      BatchSlice::Forward forward = slice_->forward(batch_, first_row, nullptr);
      slice_->copy_outputs(forward, outputs);
      const BatchSlice::Loss loss =
          slice_->loss(std::move(forward), 1.0F / static_cast<float>(items));
      metrics += loss.metrics();
      slice_->backward(loss, sum_, gradients.back().data());
    });
  }
  Buffer sum(parameters_.values().size());
  sum_.sum(arena_, gradients, sum.span());
  EXPECT_EQ(metrics.items, items);
  EXPECT_NEAR(metrics.mean_loss(), expected.loss, kSliceTolerance * expected.loss);
  EXPECT_LE(testing::relative_error(outputs, expected.outputs), kSliceTolerance);
  EXPECT_LE(testing::relative_error(sum.span(), expected.gradients), kSliceTolerance);
}

TEST_P(ShardTest, CopiesTheOutputsOfItsOwnRowsOnly) {
  const std::int64_t outputs_before = config_.task == Task::tagging ? batch_.offsets[4] : 4;
  const std::int64_t rows = config_.task == Task::tagging ? batch_.steps() : batch_.rows();
  std::vector<float> outputs(static_cast<std::size_t>(rows * 3), NAN);
  arena_.for_each(
      1, [&](std::int64_t) { slice_->copy_outputs(slice_->forward(batch_, 4, nullptr), outputs); });
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(std::isnan(outputs[i]), std::cmp_less(i, outputs_before * 3)) << i;
  }
}

TEST_P(ShardTest, TheLossAloneIsTheSame) {
  arena_.for_each(1, [&](std::int64_t) {
    BatchSlice::Forward forward = slice_->forward(batch_, 4, nullptr);
    const double loss = slice_->loss(forward).loss;
    EXPECT_EQ(slice_->loss(std::move(forward), 1).metrics().loss, loss);
  });
}

INSTANTIATE_TEST_SUITE_P(Tasks, ShardTest,
                         ::testing::Values(Task::classification, Task::tagging, Task::regression),
                         [](const auto& test) { return to_string(test.param); });

}  // namespace
}  // namespace quadgate::onednn
