// Sweeps tasks, cells, directions, layers, dropout, ragged lengths and batches that fill no whole
// number of shards, for 4 steps at 1, 2, 3 and 4 threads. No tolerance: weights, losses and
// predictions are the same bits.

#include <gtest/gtest.h>

#include <cstring>

#include "engine/trainer.h"
#include "tests/support/batches.h"

namespace quadgate {
namespace {

struct Case {
  const char* name;
  ModelConfig model;
  std::int64_t seq_len;
  std::int64_t batch_size;
};

struct Result {
  std::vector<float> weights, predictions;
  std::vector<double> losses;
};

/// Four steps of Adam: two whole batches, two smaller ones; then predictions.
Result train(const Case& test, int threads) {
  Arena arena(threads);
  Network network(test.model, test.seq_len, test.batch_size, arena);
  network.parameters().initialize(1);
  network.refresh();
  Trainer trainer(network, {.lr = 0.01, .clip_norm = 0.5}, 1);
  testing::Random random(1);
  Result result;
  Batch batch;
  for (const std::int64_t rows :
       {test.batch_size, test.batch_size, test.batch_size - 2, std::int64_t{1}}) {
    batch = random_batch(test.model, random_lengths(rows, test.seq_len, random), random);
    result.losses.push_back(trainer.step(batch).loss);
  }
  const auto values = network.parameters().values();
  result.weights.assign(values.begin(), values.end());
  const std::int64_t rows = test.model.task == Task::tagging ? batch.steps() : batch.rows();
  result.predictions.resize(static_cast<std::size_t>(rows * test.model.output_size));
  network.predict(batch, result.predictions);
  return result;
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

class DeterminismTest : public ::testing::TestWithParam<Case> {};

TEST_P(DeterminismTest, EveryNumberOfThreadsGivesTheSameBits) {
  const Result expected = train(GetParam(), 1);
  for (const int threads : {1, 2, 3, 4}) {
    const Result result = train(GetParam(), threads);
    EXPECT_TRUE(same_bits(result.weights, expected.weights)) << threads << " threads";
    EXPECT_TRUE(same_bits(result.losses, expected.losses)) << threads << " threads";
    EXPECT_TRUE(same_bits(result.predictions, expected.predictions)) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, DeterminismTest,
    ::testing::Values(
        Case{"Classifier", {.rnn = {.input_size = 5, .hidden_size = 16}, .output_size = 4}, 8, 13},
        Case{"BidirectionalTaggerWithDropout",
             {.rnn = {.input_size = 3,
                      .hidden_size = 9,
                      .num_layers = 2,
                      .bidirectional = true,
                      .dropout = 0.3},
              .task = Task::tagging,
              .output_size = 5},
             6,
             21},
        Case{"RegressionWithManyShards",
             {.rnn = {.input_size = 2, .hidden_size = 32, .num_layers = 2, .dropout = 0.5},
              .task = Task::regression,
              .output_size = 3},
             5,
             70},
        Case{"SmallBatch",
             {.rnn = {.input_size = 7, .hidden_size = 40, .bidirectional = true}, .output_size = 2},
             4,
             3},
        Case{"Gru",
             {.rnn = {.input_size = 7, .hidden_size = 40, .bidirectional = true, .cell = Cell::gru},
              .output_size = 2},
             6,
             13},
        Case{"Rnn",
             {.rnn = {.input_size = 7, .hidden_size = 70, .num_layers = 2, .cell = Cell::rnn_tanh},
              .task = Task::tagging,
              .output_size = 2},
             6,
             13}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace quadgate
