// Sweeps cells, tasks, directions, layers, projection, embedding, convolution, normalization, crf
// and precisions, ragged lengths, on every ISA, with 1 to 3 threads and teams: a forward_only
// network gives the bits of one that trains, in batches of every size, and holds the memory that is
// needed.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/base/buffer.h"
#include "engine/base/error.h"
#include "engine/training/network.h"
#include "kernels/base/isa.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/batches.h"

namespace quadgate {
namespace {

using testing::Random;
using testing::random_batch;
using testing::random_lengths;
using testing::select_rows;

struct ForwardCase {
  const char* name;
  ModelConfig model;
  std::int64_t seq_len = 12;
  std::int64_t rows = 19;
};

std::vector<ForwardCase> forward_cases() {
  const RecurrentConfig deep{.input_size = 7,
                             .hidden_size = 37,
                             .num_layers = 4,
                             .bidirectional = true,
                             .dropout = 0.3,
                             .input_dropout = 0.1,
                             .output_dropout = 0.2,
                             .weight_dropout = 0.4};
  std::vector<ForwardCase> cases{
      {"DeepTaggerWithDropout", {.rnn = deep, .task = Task::tagging, .output_size = 5}},
      {"Classifier", {.rnn = {.input_size = 5, .hidden_size = 70}, .output_size = 4}, 60},
      {"Projected",
       {.rnn = {.input_size = 9, .hidden_size = 50, .num_layers = 3, .proj_size = 17},
        .task = Task::tagging,
        .output_size = 70}},
      {"ConvPooled",
       {.rnn = {.input_size = 40, .hidden_size = 50},
        .output_size = 4,
        .conv = ConvConfig{.input_size = 7, .channels = 40, .kernel_size = 3, .pool_size = 2}}},
      {"NormalizedRegression",
       {.rnn = {.input_size = 5, .hidden_size = 50},
        .task = Task::regression,
        .output_size = 4,
        .normalization = {.kind = Normalize::instance, .columns = {0, 4}}}},
      {"TiedWeights",
       {.rnn = {.input_size = 40, .hidden_size = 40, .bidirectional = false},
        .task = Task::tagging,
        .output_size = 300,
        .embedding = {.vocabulary_size = 300, .tie_weights = true}}},
      {"Crf",
       {.rnn = {.input_size = 20, .hidden_size = 30, .bidirectional = true},
        .task = Task::tagging,
        .output_size = 20,
        .embedding = {.vocabulary_size = 90},
        .crf = true}},
      {"MeanOfGru",
       {.rnn = {.input_size = 5, .hidden_size = 41, .num_layers = 3, .bidirectional = true},
        .output_size = 4,
        .pooling = Pooling::mean}},
      {"MaxOfRnn",
       {.rnn = {.input_size = 5, .hidden_size = 141, .num_layers = 2},
        .output_size = 4,
        .pooling = Pooling::max}}};
  cases[7].model.rnn.cell = Cell::gru;
  cases[8].model.rnn.cell = Cell::rnn_tanh;
  return cases;
}

std::vector<float> predicted(Network& network, const Batch& batch) {
  const ModelConfig& config = network.config();
  const std::int64_t rows = config.task == Task::tagging ? batch.steps() : batch.rows();
  std::vector<float> outputs(static_cast<std::size_t>(rows * config.output_size), NAN);
  network.predict(batch, outputs);
  return outputs;
}

class ForwardOnlyTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }
};

TEST_P(ForwardOnlyTest, GivesTheBitsOfANetworkThatTrainsInBatchesOfEverySize) {
  for (ForwardCase of : forward_cases()) {
    if (GetParam() == kernels::Isa::scalar) of.rows = 4;  // its multiply-adds are calls
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      SCOPED_TRACE(::testing::Message() << of.name << " in " << to_string(precision));
      Random random(1);
      const std::int64_t shortest = of.model.conv ? of.model.conv->shortest() : 1;
      const Batch all =
          random_batch(of.model, random_lengths(of.rows, of.seq_len, random, shortest), random);
      Arena one(1);
      Network trains(of.model, of.seq_len, of.rows, one,
                     {.backend = BackendKind::native, .precision = precision});
      trains.parameters().initialize(1);
      const std::vector<float> expected = predicted(trains, all);
      const double loss = trains.evaluate(all).loss;
      for (const auto& [threads, team] : {std::pair(1, 0), std::pair(3, 0), std::pair(2, 2)}) {
        Arena arena(threads);
        Network forward(of.model, of.seq_len, of.rows, arena,
                        {.backend = BackendKind::native,
                         .precision = precision,
                         .team_size = team,
                         .forward_only = true});
        forward.parameters().initialize(1);
        EXPECT_EQ(predicted(forward, all), expected) << threads << " threads";
        EXPECT_EQ(forward.evaluate(all).loss, loss) << threads << " threads";
        for (const std::int64_t size : {1, 2, 7}) {
          std::vector<float> found;
          for (std::int64_t first = 0; first < of.rows; first += size) {
            std::vector<std::int64_t> rows(
                static_cast<std::size_t>(std::min(size, of.rows - first)));
            std::iota(rows.begin(), rows.end(), first);
            const auto piece = predicted(forward, select_rows(of.model, all, rows));
            found.insert(found.end(), piece.begin(), piece.end());
          }
          EXPECT_EQ(found, expected) << "batches of " << size << ", " << threads << " threads";
        }
      }
    }
  }
}

TEST_P(ForwardOnlyTest, CarriesStatesFromPieceToPiece) {
  for (const Cell cell : {Cell::lstm, Cell::gru}) {
    ModelConfig model{.rnn = {.input_size = 7, .hidden_size = 37, .num_layers = 3},
                      .task = Task::tagging,
                      .output_size = 5};
    model.rnn.cell = cell;
    Random random(1);
    Arena arena(2);
    NetworkOptions options{.backend = BackendKind::native, .carries_states = true};
    Network trains(model, 9, 4, arena, options);
    options.forward_only = true;
    Network forward(model, 9, 4, arena, options);
    trains.parameters().initialize(1);
    forward.parameters().initialize(1);
    for (int piece = 0; piece < 3; ++piece) {
      const Batch batch = random_batch(model, random_lengths(4, 9, random), random);
      EXPECT_EQ(predicted(forward, batch), predicted(trains, batch));
      EXPECT_EQ(forward.carried_states()->h, trains.carried_states()->h);
      EXPECT_EQ(forward.carried_states()->c, trains.carried_states()->c);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, ForwardOnlyTest, kernels::all_isas(), kernels::isa_name);

TEST(ForwardOnlyMemoryTest, GrowsByTheFeaturesInFrontOfAndBehindALayerForEachStep) {
  constexpr std::int64_t kRows = 64;
  constexpr std::int64_t kSteps = 100;
  const ModelConfig model{
      .rnn = {.input_size = 24, .hidden_size = 128, .num_layers = 4, .dropout = 0.5},
      .output_size = 3};
  Arena arena(1);
  const auto bytes = [&](std::int64_t seq_len) {
    const std::size_t before = Buffer::bytes_held();
    const Network network(model, seq_len, kRows, arena,
                          {.backend = BackendKind::native, .forward_only = true});
    return Buffer::bytes_held() - before;
  };
  EXPECT_EQ(bytes(2 * kSteps) - bytes(kSteps), sizeof(float) * kRows * kSteps * (24 + 2 * 128));
}

TEST(ForwardOnlyMemoryTest, HasWeightsTwiceAndNoGradient) {
  const ModelConfig model{.rnn = {.input_size = 256, .hidden_size = 256}, .output_size = 3};
  Arena arena(1);
  const std::size_t before = Buffer::bytes_held();
  const Network network(model, 1, 1, arena, {.backend = BackendKind::native, .forward_only = true});
  const std::size_t bytes = Buffer::bytes_held() - before;
  const std::size_t weights = network.parameters().values().size_bytes();
  EXPECT_LT(bytes, weights * 21 / 10);
}

TEST(ForwardOnlyNetworkTest, RefusesABackwardPass) {
  const ModelConfig model{.rnn = {.input_size = 2, .hidden_size = 3}, .output_size = 3};
  Arena arena(1);
  Network network(model, 4, 2, arena, {.backend = BackendKind::native, .forward_only = true});
  Random random(1);
  const Batch batch = random_batch(model, {4, 2}, random);
  EXPECT_THROW(network.differentiate(batch, {}), InvalidArgument);
  EXPECT_THROW(network.differentiate_sum(batch, {}), InvalidArgument);
  EXPECT_TRUE(network.gradient_values().empty());
  EXPECT_TRUE(network.gradient_ranges().empty());
}

}  // namespace
}  // namespace quadgate
