// Sweeps every loss with its settings on both backends, and the native backend's poolings over
// cells, directions, lengths of 1 to 9 and teams. Tolerance: 2e-5 of the largest element against
// the double reference, as in network_test.cpp; none where a row's company or a team must not
// matter.

#include <gmock/gmock.h>

#include "engine/base/error.h"
#include "engine/training/trainer.h"
#include "kernels/base/isa.h"
#include "tests/support/backends.h"
#include "tests/support/batches.h"
#include "tests/support/network_checks.h"

namespace quadgate {
namespace {

using ::testing::Each;
using testing::Random;
using testing::random_batch;
using testing::select_rows;

constexpr double kLossTolerance = 2e-5;

struct LossCase {
  const char* name;
  Task task;
  LossConfig loss;
};

const LossCase kLossCases[] = {
    LossCase{"Smoothed", Task::classification, {.label_smoothing = 0.2}},
    LossCase{"Weighted", Task::classification, {.class_weights = {0.5F, 2, 0, 1}}},
    LossCase{"WeightedTags",
             Task::tagging,
             {.label_smoothing = 0.1, .class_weights = {0.5F, 2, 3, 1}, .ignore_index = 2}},
    LossCase{"IgnoredTags", Task::tagging, {}},
    LossCase{"Mae", Task::regression, {.kind = LossKind::mae}},
    LossCase{"Huber", Task::regression, {.kind = LossKind::huber, .huber_delta = 0.3}},
    LossCase{"Bce", Task::regression, {.kind = LossKind::bce}}};

/// A random batch, of which some labels do not count and all targets lie within 0 and 1.
Batch batch_for(const ModelConfig& config, std::int64_t rows, std::int64_t seq_len,
                Random& random) {
  Batch batch = random_batch(config, random_lengths(rows, seq_len, random), random);
  for (std::size_t i = 1; i < batch.labels.size(); i += 4) {
    batch.labels[i] = config.loss.ignore_index;
  }
  for (float& target : batch.targets) target = (1 + target) / 2;
  return batch;
}

class NetworkLossTest : public ::testing::TestWithParam<std::tuple<LossCase, BackendKind>> {};

TEST_P(NetworkLossTest, HasTheReferencesLossAndGradients) {
  const auto& [test, backend] = GetParam();
  const ModelConfig config{.rnn = {.input_size = 3, .hidden_size = 6, .bidirectional = true},
                           .task = test.task,
                           .output_size = 4,
                           .loss = test.loss};
  Arena arena(2);
  Network network(config, 9, 21, arena, {.backend = backend});
  network.parameters().initialize(3);
  Random random(7);
  for (const std::int64_t rows : {1, 6, 21}) {
    testing::expect_reference(network, batch_for(config, rows, 9, random), kLossTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Losses, NetworkLossTest,
                         ::testing::Combine(::testing::ValuesIn(kLossCases),
                                            testing::both_backends()),
                         [](const auto& test) {
                           return testing::with_backend(std::get<0>(test.param).name,
                                                        std::get<1>(test.param));
                         });

class NetworkItemsTest : public ::testing::TestWithParam<BackendKind> {};

TEST_P(NetworkItemsTest, TargetsWithoutWeightChangeNothing) {
  const ModelConfig config{
      .rnn = {.input_size = 2, .hidden_size = 5},
      .task = Task::tagging,
      .output_size = 3,
      .loss = {.label_smoothing = 0.1, .class_weights = {1, 0, 1}, .ignore_index = -1}};
  Arena arena(2);
  Network network(config, 4, 3, arena, {.backend = GetParam()});
  network.parameters().initialize(1);
  const auto weights = network.parameters().values();
  const std::vector<float> before(weights.begin(), weights.end());
  Trainer trainer(network, {.kind = OptimizerConfig::Kind::sgd, .lr = 1, .clip_norm = {}}, 1);
  Random random(1);
  Batch batch = random_batch(config, {4, 2, 1}, random);
  std::ranges::fill(batch.labels, -1);
  const auto expect_no_gradient = [&] {
    EXPECT_THAT(network.differentiate(batch, {}).gradient.values, Each(0.0F));
  };
  EXPECT_EQ(trainer.step(batch).items, 0);
  expect_no_gradient();
  std::ranges::fill(batch.labels, 1);
  EXPECT_EQ(trainer.step(batch).weight, 0);
  expect_no_gradient();
  EXPECT_TRUE(std::ranges::equal(weights, before));
}

INSTANTIATE_TEST_SUITE_P(Backends, NetworkItemsTest, testing::both_backends(),
                         testing::backend_name);

class PoolingTest : public ::testing::TestWithParam<std::tuple<Pooling, bool>> {
 protected:
  ModelConfig config(Task task, Cell cell = Cell::lstm) const {
    return {.rnn = {.input_size = 3,
                    .hidden_size = 70,
                    .bidirectional = std::get<1>(GetParam()),
                    .cell = cell},
            .task = task,
            .output_size = 4,
            .pooling = std::get<0>(GetParam())};
  }
};

TEST_P(PoolingTest, HasTheReferencesOutputsLossAndGradients) {
  for (const Task task : {Task::classification, Task::regression}) {
    for (const Cell cell : {Cell::lstm, Cell::gru, Cell::rnn_tanh}) {
      Arena arena(2);
      std::vector<float> alone;
      for (const std::int64_t team_size : {1, 2}) {
        Network network(config(task, cell), 9, 21, arena,
                        {.backend = BackendKind::native, .team_size = team_size});
        network.parameters().initialize(3);
        Random random(7);
        std::span<const float> gradients;
        for (const std::int64_t rows : {1, 6, 21}) {
          gradients = testing::expect_reference(network, batch_for(config(task), rows, 9, random),
                                                kLossTolerance)
                          .values;
        }
        if (team_size == 1) alone.assign(gradients.begin(), gradients.end());
        EXPECT_TRUE(std::ranges::equal(gradients, alone)) << "team of " << team_size;
      }
    }
  }
}

TEST_P(PoolingTest, LongerCompanyChangesNoBitOfARow) {
  const ModelConfig model = config(Task::regression);
  Arena arena(2);
  Network network(model, 9, 8, arena);
  network.parameters().initialize(3);
  Random random(5);
  const Batch batch = random_batch(model, {9, 1, 4, 8, 2, 9, 3, 5}, random);
  const auto together = testing::predict(network, batch);
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto alone = testing::predict(network, select_rows(model, batch, {row}));
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + row * 4)) << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Poolings, PoolingTest,
                         ::testing::Combine(::testing::Values(Pooling::last, Pooling::mean,
                                                              Pooling::max),
                                            ::testing::Bool()),
                         [](const auto& test) {
                           return std::string(to_string(std::get<0>(test.param))) +
                                  (std::get<1>(test.param) ? "_bidirectional" : "");
                         });

TEST(MaxPoolingTest, GivesTheGradientToTheFirstOfEqualSteps) {
  const ModelConfig config{.rnn = {.input_size = 2, .hidden_size = 1, .cell = Cell::rnn_tanh},
                           .task = Task::regression,
                           .output_size = 1,
                           .pooling = Pooling::max};
  Arena arena(1);
  Network network(config, 3, 1, arena);
  {
    // h depends on the first feature alone, which is the same at every step.
    ParameterEditor editor = network.parameters().edit();
    std::ranges::fill(editor.values(), 0.0F);
    editor.value("rnn.weight_ih_l0")[0] = 1;
    std::ranges::fill(editor.value("head.weight"), 1.0F);
  }
  const Batch batch{.x = {0.5F, 3, 0.5F, 2, 0.5F, 1},
                    .tokens = {},
                    .offsets = {0, 3},
                    .labels = {},
                    .targets = {7}};
  const auto gradient = network.differentiate(batch, {}).gradient.values;  // weight_ih_l0 first
  EXPECT_NE(gradient[0], 0);
  EXPECT_FLOAT_EQ(gradient[1], 6 * gradient[0]);
}

}  // namespace
}  // namespace quadgate
