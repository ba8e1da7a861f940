// Sweeps 60 seeded configurations of everything that a run can ask for (cells, directions, layers,
// projections, tasks, poolings, embeddings, convolutions, all dropouts, carried states, ragged
// lengths, accumulated and clipped gradients, optimizers, bf16) at 1, 2, 3, 4 and 8 ranks, and some
// at 16 and 64. No tolerance: weights, optimizer, states and metrics are the same bits at every
// number of ranks and threads. Beside one shard, 1e-4 of the largest weight.

#include "engine/training/sharded_network.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>

#include "engine/base/error.h"
#include "engine/training/trainer.h"
#include "tests/support/batches.h"
#include "tests/support/in_process_ranks.h"

namespace quadgate {
namespace {

struct ShardedCase {
  ModelConfig model;
  NetworkOptions options;
  OptimizerConfig optimizer;
  std::int64_t seq_len = 6;
  std::int64_t batch_size = 0;
  std::int64_t grad_shards = 0;
};

bool chance(testing::Random& random, int one_of) { return random.integer(1, one_of) == 1; }

RecurrentConfig random_stack(testing::Random& random) {
  RecurrentConfig rnn{.input_size = random.integer(1, 20),
                      .hidden_size = random.integer(3, 40),
                      .num_layers = random.integer(1, 2),
                      .bidirectional = chance(random, 3)};
  if (chance(random, 2)) rnn.cell = static_cast<Cell>(random.integer(0, 3));
  if (rnn.cell == Cell::lstm && chance(random, 3)) rnn.proj_size = rnn.hidden_size / 2;
  rnn.bias = !chance(random, 4);
  if (chance(random, 2)) rnn.dropout = 0.3;
  if (chance(random, 3)) rnn.input_dropout = 0.2;
  if (chance(random, 3)) rnn.output_dropout = 0.4;
  if (chance(random, 4)) rnn.weight_dropout = 0.5;
  rnn.locked_dropout = chance(random, 3);
  return rnn;
}

ModelConfig random_model(testing::Random& random) {
  ModelConfig model{.rnn = random_stack(random),
                    .task = static_cast<Task>(random.integer(0, 2)),
                    .output_size = random.integer(2, 9)};
  if (model.task != Task::tagging) model.pooling = static_cast<Pooling>(random.integer(0, 2));
  if (model.task != Task::regression && chance(random, 3)) model.loss.label_smoothing = 0.1;
  if (chance(random, 2)) {
    // Long enough for several blocks of the exchange, which cut its rows.
    model.embedding = {.vocabulary_size = random.integer(9, 900), .sparse = !chance(random, 3)};
  }
  if (chance(random, 4)) {
    model.conv = ConvConfig{.input_size = random.integer(1, 9),
                            .channels = model.rnn.input_size,
                            .kernel_size = 3,
                            .padding = 1};
  }
  if (model.task == Task::regression && !model.has_embedding() && chance(random, 2)) {
    model.normalization.kind = chance(random, 3) ? Normalize::last : Normalize::instance;
    model.normalization.columns = {random.integer(0, model.input_size() - 1)};
  }
  if (model.has_embedding() && !model.conv && model.task == Task::tagging && chance(random, 2)) {
    model.output_size = model.embedding.vocabulary_size;
    model.rnn.input_size = model.rnn.output_size();
    model.embedding.tie_weights = true;
  }
  return model;
}

OptimizerConfig random_optimizer(testing::Random& random) {
  using Kind = OptimizerConfig::Kind;
  OptimizerConfig optimizer = pytorch_defaults(static_cast<Kind>(random.integer(0, 3)));
  optimizer.lr = optimizer.kind == Kind::sgd ? 0.1 : 0.01;
  if (optimizer.kind == Kind::sgd || optimizer.kind == Kind::rmsprop) optimizer.momentum = 0.9;
  optimizer.centered = optimizer.kind == Kind::rmsprop && chance(random, 2);
  if (chance(random, 3)) optimizer.weight_decay = 0.01;
  if (chance(random, 2)) optimizer.clip_norm = 0.5;
  if (chance(random, 3)) optimizer.accumulate_steps = 2;
  return optimizer;
}

ShardedCase random_case(std::uint32_t seed) {
  testing::Random random(seed);
  ShardedCase test{
      .model = random_model(random), .options = {}, .optimizer = random_optimizer(random)};
  test.grad_shards = random.integer(8, 16);
  test.batch_size = test.grad_shards + random.integer(0, 20);
  test.options.carries_states =
      !test.model.rnn.bidirectional && !test.model.conv && chance(random, 2);
  const bool may_have_crf = test.model.task == Task::tagging && !test.options.carries_states &&
                            test.model.loss.label_smoothing == 0;
  test.model.crf = may_have_crf && chance(random, 2);
  if (chance(random, 4)) test.options.precision = Precision::bf16;
  return test;
}

std::string text_of(const ShardedCase& test) {
  const RecurrentConfig& rnn = test.model.rnn;
  return std::string(to_string(rnn.cell)) + " " + to_string(test.model.task) + " " +
         std::string(to_string(test.optimizer.kind)) + ", " + std::to_string(test.grad_shards) +
         " shards of " + std::to_string(test.batch_size) +
         (test.options.carries_states ? ", carries states" : "") +
         (test.model.embedding.tie_weights ? ", tied" : "") + (test.model.crf ? ", crf" : "") +
         (rnn.has_dropout() ? ", drops" : "");
}

/// Everything that a run leaves, as bytes.
struct ShardedRun {
  std::vector<float> weights, states, carried;
  std::vector<double> metrics;

  bool operator==(const ShardedRun& other) const {
    return same(weights, other.weights) && same(states, other.states) &&
           same(carried, other.carried) && same(metrics, other.metrics);
  }

 private:
  template <typename T>
  static bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
  }
};

/// This rank's rows of a batch, as a loader gives them.
Batch share_of(const ShardedCase& test, const Batch& batch, const ShardedNetwork& shards) {
  std::vector<std::int64_t> rows;
  const auto cut = [&](std::int64_t shard) { return batch.rows() * shard / test.grad_shards; };
  for (std::int64_t row = cut(shards.first_shard()); row < cut(shards.last_shard()); ++row) {
    rows.push_back(row);
  }
  Batch share = testing::select_rows(test.model, batch, rows);
  share.whole_rows = batch.rows();
  return share;
}

/// Batches of all rows, and smaller ones, fewer rows than shards among them, unless states are
/// carried.
std::vector<Batch> batches_of(const ShardedCase& test) {
  testing::Random random(1);
  std::vector<Batch> batches;
  for (const std::int64_t rows :
       {test.batch_size, test.batch_size, test.batch_size - 2, std::int64_t{3}, test.batch_size}) {
    const std::int64_t all = test.options.carries_states ? test.batch_size : rows;
    batches.push_back(
        random_batch(test.model, testing::random_lengths(all, test.seq_len, random), random));
  }
  return batches;
}

ShardedRun train_share(const ShardedCase& test, cluster::Communicator& communicator, int threads) {
  Arena arena(threads);
  Network network(test.model, test.seq_len,
                  ShardedNetwork::shard_rows(test.batch_size, test.grad_shards), arena,
                  test.options);
  network.parameters().initialize(1);
  ShardedNetwork shards(network, communicator, test.batch_size, test.grad_shards);
  Trainer trainer(network, test.optimizer, 1, &shards);
  ShardedRun result;
  const auto add = [&](const Metrics& metrics) {
    for (const double value : {metrics.loss, metrics.weight, metrics.squared_error,
                               static_cast<double>(metrics.correct)}) {
      result.metrics.push_back(value);
    }
  };
  const std::vector<Batch> batches = batches_of(test);
  for (const Batch& batch : batches) add(trainer.step(share_of(test, batch, shards)));
  trainer.finish_update();
  const RecurrentStates carried = trainer.carried();
  result.carried = carried.h;
  result.carried.insert(result.carried.end(), carried.c.begin(), carried.c.end());
  trainer.reset_states();
  add(trainer.evaluate(share_of(test, batches.front(), shards)));
  const auto values = network.parameters().values();
  result.weights.assign(values.begin(), values.end());
  Optimizer whole(test.optimizer, values.size());
  trainer.copy_optimizer(communicator.rank() == 0 ? &whole : nullptr);
  for (const Optimizer::State& state : whole.states()) {
    const auto array = state.array.span();
    result.states.insert(result.states.end(), array.begin(), array.end());
  }
  return result;
}

/// What rank 0 has in the end; all ranks have the same weights and metrics.
ShardedRun train_on(int ranks, const ShardedCase& test) {
  std::vector<ShardedRun> results(static_cast<std::size_t>(ranks));
  testing::InProcessRanks(ranks).run([&](cluster::Communicator& communicator) {
    const int rank = communicator.rank();
    results[static_cast<std::size_t>(rank)] = train_share(test, communicator, 1 + rank % 2);
  });
  for (const ShardedRun& result : results) {
    EXPECT_EQ(result.weights, results.front().weights);
    EXPECT_EQ(result.metrics, results.front().metrics);
  }
  return results.front();
}

class ShardedNetworkTest : public ::testing::TestWithParam<int> {};

TEST_P(ShardedNetworkTest, EveryNumberOfRanksGivesTheSameBits) {
  for (int part = 0; part < 10; ++part) {
    const ShardedCase test = random_case(static_cast<std::uint32_t>(10 * GetParam() + part));
    SCOPED_TRACE(text_of(test));
    const ShardedRun expected = train_on(1, test);
    for (const int ranks : {2, 3, 4, 8}) {
      EXPECT_TRUE(train_on(ranks, test) == expected) << ranks << " ranks";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ShardedNetworkTest, ::testing::Range(0, 6));

TEST(ShardedNetwork, ManyRanksGiveTheSameBits) {
  for (std::uint32_t seed = 100; seed < 103; ++seed) {
    ShardedCase test = random_case(seed);
    test.grad_shards = 64;
    test.batch_size = 70;
    SCOPED_TRACE(text_of(test));
    const ShardedRun expected = train_on(1, test);
    for (const int ranks : {16, 64}) {
      EXPECT_TRUE(train_on(ranks, test) == expected) << ranks << " ranks";
    }
  }
}

// Larger than a bucket: the first buckets travel while the others are computed.
TEST(ShardedNetwork, SeveralBucketsOfGradientsGiveTheSameBits) {
  ShardedCase test = random_case(1);
  test.model = {.rnn = {.input_size = 30, .hidden_size = 200, .num_layers = 2, .dropout = 0.2},
                .task = Task::tagging,
                .output_size = 1100,
                .embedding = {.vocabulary_size = 3000}};
  test.options = {};
  test.optimizer.clip_norm = 0.5;
  test.seq_len = 3;
  test.batch_size = 12;
  test.grad_shards = 6;
  const ShardedRun expected = train_on(1, test);
  for (const int ranks : {2, 3, 4, 6}) {
    EXPECT_TRUE(train_on(ranks, test) == expected) << ranks << " ranks";
  }
  // With tied weights, tasks of a second list add to the first buckets.
  test.model.rnn.input_size = 200;
  test.model.output_size = 3000;
  test.model.embedding.tie_weights = true;
  const ShardedRun tied = train_on(1, test);
  for (const int ranks : {2, 3}) EXPECT_TRUE(train_on(ranks, test) == tied) << ranks << " ranks";
}

// A shard has several blocks of rows. The last one's gradients travel.
TEST(ShardedNetwork, ManyClassesGiveTheSameBits) {
  ShardedCase test = random_case(1);
  test.model = {.rnn = {.input_size = 9, .hidden_size = 20},
                .task = Task::tagging,
                .output_size = 1100,
                .embedding = {.vocabulary_size = 1100}};
  test.options = {};
  test.optimizer.clip_norm = 0.5;
  test.seq_len = 120;
  test.batch_size = 12;
  test.grad_shards = 3;
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    test.options.precision = precision;
    const ShardedRun expected = train_on(1, test);
    for (const int ranks : {2, 3}) {
      EXPECT_TRUE(train_on(ranks, test) == expected) << ranks << " ranks, " << to_string(precision);
    }
  }
}

TEST(ShardedNetwork, IsTheUnshardedTrainingButForRounding) {
  for (std::uint32_t seed = 200; seed < 220; ++seed) {
    ShardedCase test = random_case(seed);
    test.options.precision = Precision::f32;
    SCOPED_TRACE(text_of(test));
    Arena arena(2);
    Network network(test.model, test.seq_len, test.batch_size, arena, test.options);
    network.parameters().initialize(1);
    OptimizerConfig config = test.optimizer;
    // Adam's and RMSprop's steps are of one size however small the gradient, so of rounding too.
    test.optimizer = config = {.kind = OptimizerConfig::Kind::sgd,
                               .lr = 0.1,
                               .momentum = 0.9,
                               .clip_norm = config.clip_norm,
                               .accumulate_steps = config.accumulate_steps};
    Trainer trainer(network, config, 1);
    std::vector<double> losses;
    for (const Batch& batch : batches_of(test)) {
      losses.push_back(trainer.step(batch).loss);
      losses.push_back(0);
    }
    trainer.finish_update();
    const ShardedRun sharded = train_on(3, test);
    EXPECT_LT(testing::relative_error(sharded.weights, network.parameters().values()), 1e-4);
    for (std::size_t i = 0; i < losses.size() / 2; ++i) {
      EXPECT_NEAR(sharded.metrics[4 * i], losses[2 * i], 1e-4 * losses[2 * i]);
    }
  }
}

TEST(ShardedNetwork, AResumedRunGoesOnAsIfNeverStopped) {
  // States and optimizer of four ranks, taken over by three.
  ShardedCase test = random_case(1);
  test.model = {.rnn = {.input_size = 5, .hidden_size = 9, .num_layers = 2},
                .task = Task::tagging,
                .output_size = 4};
  test.options = {.carries_states = true};
  test.optimizer.accumulate_steps = 1;
  const std::vector<Batch> batches = batches_of(test);
  const auto train_from = [&](int ranks, const RecurrentStates* states, const Optimizer* optimizer,
                              const std::vector<float>* weights, std::size_t first,
                              std::size_t last) {
    struct Saved {
      RecurrentStates states;
      Optimizer optimizer;
      std::vector<float> weights;
    };
    std::optional<Saved> saved;
    testing::InProcessRanks(ranks).run([&](cluster::Communicator& communicator) {
      Arena arena(1);
      Network network(test.model, test.seq_len,
                      ShardedNetwork::shard_rows(test.batch_size, test.grad_shards), arena,
                      test.options);
      network.parameters().initialize(1);
      ShardedNetwork shards(network, communicator, test.batch_size, test.grad_shards);
      Trainer trainer(network, test.optimizer, 1, &shards);
      if (states != nullptr) {
        ParameterEditor editor = network.parameters().edit();
        std::ranges::copy(*weights, editor.values().begin());
        trainer.optimizer().copy_state(*optimizer);
        trainer.set_carried(*states);
      }
      for (std::size_t i = first; i < last; ++i) {
        trainer.step(share_of(test, batches[i], shards));
      }
      Optimizer whole(test.optimizer, network.parameters().values().size());
      trainer.copy_optimizer(communicator.rank() == 0 ? &whole : nullptr);
      RecurrentStates carried = trainer.carried();
      if (communicator.rank() != 0) return;
      const auto values = network.parameters().values();
      saved.emplace(Saved{std::move(carried), std::move(whole), {values.begin(), values.end()}});
    });
    return std::move(*saved);
  };
  const auto expected = train_from(1, nullptr, nullptr, nullptr, 0, 5);
  const auto half = train_from(4, nullptr, nullptr, nullptr, 0, 3);
  const auto found = train_from(3, &half.states, &half.optimizer, &half.weights, 3, 5);
  EXPECT_EQ(found.weights, expected.weights);
  EXPECT_EQ(found.states.h, expected.states.h);
  EXPECT_EQ(found.states.c, expected.states.c);
}

TEST(ShardedNetwork, WhatARankFindsInItsRowsIsTheLine) {
  ShardedCase test{.model = {.rnn = {.input_size = 2, .hidden_size = 4}, .output_size = 3},
                   .options = {},
                   .optimizer = {}};
  test.grad_shards = 4;
  test.batch_size = 4;
  Batch batch = batches_of(test).front();
  batch.labels.back() = 7;
  testing::InProcessRanks run(2);
  run.run([&](cluster::Communicator& communicator) {
    try {
      Arena arena(1);
      Network network(test.model, test.seq_len, 1, arena);
      ShardedNetwork shards(network, communicator, test.batch_size, test.grad_shards);
      Trainer trainer(network, test.optimizer, 1, &shards);
      trainer.step(share_of(test, batch, shards));
    } catch (const DataError& error) {
      EXPECT_EQ(communicator.rank(), 1);
      communicator.fail(error.what());
    }
  });
  EXPECT_THAT(run.lines(), ::testing::ElementsAre(::testing::HasSubstr("rank 1 (n1): ")));
  EXPECT_THAT(run.lines(), ::testing::ElementsAre(::testing::HasSubstr("found 7")));
}

TEST(ShardedNetwork, NamesANumberOfShardsThatCannotBe) {
  cluster::Communicator alone;
  Arena arena(1);
  Network network({.rnn = {.input_size = 2, .hidden_size = 3}, .output_size = 2}, 4, 4, arena);
  EXPECT_THROW(ShardedNetwork(network, alone, 4, 0), InvalidArgument);
  EXPECT_THROW(ShardedNetwork(network, alone, 4, 5), InvalidArgument);
}

}  // namespace
}  // namespace quadgate
