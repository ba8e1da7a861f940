// Sweeps the model of a step of several ranks: what it says that an exchange sends against what
// exchanges in threads of this process were counted to send (no tolerance), and the tables of
// efficiencies that the model was designed with (half of their last digit, of percent and tenths of
// milliseconds; where the reduce-scatter hides, one percent: it has other buckets there).

#include "apps/bench/network_model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <vector>

#include "engine/cluster/gradient_exchange.h"
#include "tests/support/in_process_ranks.h"

namespace quadgate::apps {
namespace {

double total(const ExchangeWork& work, double Hop::*field) {
  double sum = work.reduce_group.*field + work.gather_group.*field;
  for (const Hop& hop : work.reduce_halvings) sum += hop.*field;
  for (const Hop& hop : work.gather_halvings) sum += hop.*field;
  return sum;
}

/// The most that a rank was counted to send in an exchange of n floats.
cluster::Traffic counted(std::size_t n, int ranks, std::int64_t shards) {
  std::mutex mutex;
  cluster::Traffic most;
  quadgate::testing::InProcessRanks run(ranks);
  run.run([&](cluster::Communicator& communicator) {
    const std::vector<float> gradient(n, 1.0F);
    std::vector<float> weights(n);
    cluster::GradientExchange exchange(communicator, n, shards);
    const cluster::Traffic before = communicator.traffic();
    for (auto shard = exchange.first_shard(); shard < exchange.last_shard(); ++shard) {
      exchange.add(gradient);
    }
    exchange.reduce_scatter();
    exchange.all_gather(weights);
    const cluster::Traffic now = communicator.traffic();
    const std::scoped_lock lock(mutex);
    most.bytes = std::max(most.bytes, now.bytes - before.bytes);
    most.messages = std::max(most.messages, now.messages - before.messages);
  });
  return most;
}

struct ExchangeCase {
  int ranks;
  std::int64_t shards;
};

class ExchangeWorkTest : public ::testing::TestWithParam<ExchangeCase> {};

TEST_P(ExchangeWorkTest, IsWhatARankSends) {
  const auto [ranks, shards] = GetParam();
  constexpr std::size_t kFloats = std::size_t{8} * 64 * 4096;
  const ExchangeWork work = exchange_work(kFloats, ranks, shards);
  const cluster::Traffic sent = counted(kFloats, ranks, shards);
  const std::int64_t blocks_of_bucket =
      ranks * std::max(2, (8 * 64 + 32 * ranks - 1) / (32 * ranks));
  EXPECT_EQ(work.buckets, (8 * 64 + blocks_of_bucket - 1) / blocks_of_bucket);
  const double blocks = ranks % 3 == 0 ? 16.0 * 4096 * 4 * 2 * 8 : 0;  // 64 blocks by three
  EXPECT_GE(total(work, &Hop::bytes), static_cast<double>(sent.bytes));
  EXPECT_LE(total(work, &Hop::bytes), static_cast<double>(sent.bytes) + blocks);
  EXPECT_EQ(total(work, &Hop::messages), static_cast<double>(sent.messages));
}

INSTANTIATE_TEST_SUITE_P(Ranks, ExchangeWorkTest,
                         ::testing::Values(ExchangeCase{1, 1}, ExchangeCase{2, 2},
                                           ExchangeCase{2, 8}, ExchangeCase{3, 3},
                                           ExchangeCase{3, 4}, ExchangeCase{4, 4},
                                           ExchangeCase{6, 6}, ExchangeCase{8, 16},
                                           ExchangeCase{16, 16}));

/// The tables: no overlap, RS hidden, at 16, 64, 256 and 1,024 ranks, then RS + AG at 1,024 in ms.
struct TableRow {
  double step_ms;
  double millions;
  Link link;
  std::array<int, 4> exposed;
  std::array<int, 4> hidden;
  double exchange_ms;
};

constexpr Link kTcp10{1, 30e-6, 0, 1.1e9};
constexpr Link kTcp25{1, 25e-6, 0, 2.7e9};
constexpr Link kTcp100{1, 20e-6, 0, 7.5e9};
constexpr Link kRoce100{1, 3e-6, 0, 11.5e9};
constexpr Link kHdr200{1, 1.5e-6, 0, 23e9};

class NetworkTableTest : public ::testing::TestWithParam<TableRow> {};

TEST_P(NetworkTableTest, HasTheEfficienciesOfTheTable) {
  const TableRow& row = GetParam();
  const auto n = static_cast<std::size_t>(row.millions * 1e6);
  const Computation one{.seconds = row.step_ms / 1e3, .sigma = 0.02, .window = row.step_ms / 3e3};
  NetworkSpeed network;
  network.halvings = {row.link};
  network.adder = 1 / 20e9;
  int ranks = 16;
  for (std::size_t i = 0; i < 4; ++i, ranks *= 4) {
    ExchangeWork work = exchange_work(n, ranks, ranks, 1);
    work.buckets = 8;  // of the tables
    const StepPrediction step = predict_step(network, work, ranks, of_many(one, ranks));
    const double seconds = step.step() + step.records;  // the tables have two of these
    EXPECT_NEAR(100 * one.seconds / (seconds + step.hidden), row.exposed[i], 0.51) << ranks;
    EXPECT_NEAR(100 * one.seconds / seconds, row.hidden[i], 1.1) << ranks;
    if (ranks == 1024) {
      EXPECT_NEAR(1e3 * (step.reduce_scatter + step.all_gather), row.exchange_ms,
                  0.051 + 1e-3 * row.exchange_ms);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rows, NetworkTableTest,
    ::testing::Values(TableRow{50, 1, kTcp10, {84, 82, 81, 80}, {88, 86, 85, 84}, 8.1},
                      TableRow{50, 1, kHdr200, {95, 94, 93, 92}, {95, 94, 93, 93}, 0.6},
                      TableRow{50, 10, kTcp25, {61, 59, 58, 58}, {73, 71, 70, 70}, 32.1},
                      TableRow{50, 10, kRoce100, {82, 81, 80, 80}, {89, 88, 87, 86}, 9.0},
                      TableRow{50, 100, kTcp100, {29, 28, 28, 28}, {32, 31, 30, 30}, 126.9},
                      TableRow{200, 1, kTcp100, {95, 94, 93, 92}, {95, 94, 93, 93}, 1.7},
                      TableRow{200, 10, kTcp10, {71, 70, 69, 69}, {81, 79, 78, 78}, 75.3},
                      TableRow{200, 100, kRoce100, {68, 67, 66, 66}, {80, 79, 78, 78}, 89.5},
                      TableRow{200, 100, kHdr200, {77, 75, 75, 74}, {87, 86, 85, 84}, 54.8}));

TEST(PredictStepTest, AddsUpByHand) {
  // Two ranks: one halving of two buckets each way, and one for the records.
  const NetworkSpeed network{
      .halvings = {{1, 1, 0.5, 100}}, .group = {}, .adder = 0.125, .call = 8};
  ExchangeWork work;
  work.buckets = 2;
  work.reduce_halvings = work.gather_halvings = {{2, 400}};
  const Computation computation{
      .seconds = 1000, .slowest = 1010, .sigma = 0, .update = 40, .window = 30};
  const StepPrediction step = predict_step(network, work, 2, computation);
  EXPECT_DOUBLE_EQ(step.computation, 980);  // the other half is the other rank's to update
  EXPECT_DOUBLE_EQ(step.wait, 10);
  EXPECT_DOUBLE_EQ(step.all_gather, 8 + 1 + 0.5 + 4);
  EXPECT_DOUBLE_EQ(step.reduce_scatter, 8 + 1 + 0.5 + 4 + 50);
  EXPECT_DOUBLE_EQ(step.hidden, 15);  // of the window of 30, the half before the last bucket
  EXPECT_DOUBLE_EQ(step.records, 8 + 1);
  EXPECT_DOUBLE_EQ(step.step(), 980 + 10 + 63.5 - 15 + 9 + 13.5);
}

TEST(PredictStepTest, LayersInFrontHideTheWeightsOfThoseBehind) {
  // Two buckets of 50 s each; the first layer reads the first one, the second the other.
  const NetworkSpeed network{.halvings = {{1, 0, 0, 8}}, .group = {}};
  ExchangeWork work;
  work.buckets = 2;
  work.gather_halvings = {{2, 800}};
  const std::vector<double> layers = {0.5, 0.5};
  const auto hidden = [&](double forward) {
    return predict_step(network, work, 2, {.forward = forward}, layers).gather_hidden;
  };
  EXPECT_DOUBLE_EQ(hidden(40), 20);   // the first layer's time
  EXPECT_DOUBLE_EQ(hidden(200), 50);  // all of the second bucket
  EXPECT_EQ(predict_step(network, work, 2, {.forward = 200}).gather_hidden, 0);
  // In two hops of 50 s the buckets come in the last one.
  work.gather_halvings = {{2, 400}, {2, 400}};
  EXPECT_DOUBLE_EQ(hidden(200), 25);
}

TEST(WeightsOfLayersTest, AddUpToAll) {
  ModelConfig config;
  config.rnn = {3, 8, 2, false, 0};
  config.output_size = 10;
  config.task = Task::tagging;
  const std::vector<double> parts = weights_of_layers(config);
  const double all = 4 * 8 * (3 + 8 + 2) + 4 * 8 * (8 + 8 + 2) + 10 * (8 + 1);
  ASSERT_EQ(parts.size(), 5);
  EXPECT_DOUBLE_EQ(parts[0], 4 * 8 * (3 + 2) / all);
  EXPECT_DOUBLE_EQ(parts[1], 4 * 8 * 8 / all);
  EXPECT_DOUBLE_EQ(parts[2], 4 * 8 * (8 + 2) / all);
  EXPECT_DOUBLE_EQ(parts[3], 4 * 8 * 8 / all);
  EXPECT_NEAR(parts[4], 90 / all, 1e-12);
}

TEST(PredictStepTest, OneRankSendsNothing) {
  const StepPrediction step =
      predict_step({.halvings = {{1, 1, 1, 1}}, .group = {}, .call = 1},
                   exchange_work(100'000, 1, 1), 1, {.seconds = 2, .slowest = 2, .update = 1});
  EXPECT_EQ(step.step(), 2);
  EXPECT_EQ(step.exchange(), 0);
}

TEST(PredictStepTest, FartherRanksHaveTheLastLink) {
  const NetworkSpeed network{.halvings = {{1, 1, 0, 0}, {1, 5, 0, 0}}, .group = {}};
  EXPECT_EQ(network.halving(0).latency, 1);
  EXPECT_EQ(network.halving(9).latency, 5);
  const NetworkSpeed odd{.halvings = {}, .group = {2, 3, 0, 0}};
  EXPECT_EQ(odd.halving(4).latency, 3);
}

}  // namespace
}  // namespace quadgate::apps
