// Sweeps 2 to 4 ranks in threads over a network whose messages take 4 ms: what is measured, and
// what is predicted from it, is at least as long as that. How much longer depends on the machine's
// load.

#include "apps/bench/network_probe.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>

#include "apps/bench/first_ranks.h"
#include "tests/support/in_process_ranks.h"

namespace quadgate::apps {
namespace {

constexpr double kDelay = 4e-3;
constexpr std::size_t kWeights = 20'000;

class NetworkProbeTest : public ::testing::TestWithParam<int> {};

TEST_P(NetworkProbeTest, MeasuresWhatAnExchangeTakes) {
  const int ranks = GetParam();
  quadgate::testing::InProcessRanks run(ranks, {}, std::chrono::milliseconds(4));
  run.run([&](cluster::Communicator& communicator) {
    const NetworkSpeed network = measure_network(communicator, kWeights, ranks);
    for (const Link& link : network.halvings) EXPECT_GE(link.latency, kDelay);
    if (ranks == 3) {
      EXPECT_GE(network.group.latency, kDelay);
      EXPECT_EQ(network.group.others, 2);
    }
    EXPECT_GT(network.adder, 0);
    ExchangeBenchmark exchange(communicator, kWeights, ranks);
    // A hop each way, and one of records between them.
    EXPECT_GE(exchange.seconds(), 3 * kDelay);
    const StepPrediction step =
        predict_step(network, exchange_work(kWeights, ranks, ranks), ranks, {});
    EXPECT_GE(step.exchange(), 3 * kDelay);
  });
  EXPECT_THAT(run.lines(), ::testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Ranks, NetworkProbeTest, ::testing::Values(2, 3, 4));

TEST(MeasureComputationTest, RanksComputeTheirRows) {
  quadgate::testing::InProcessRanks run(3);
  run.run([](cluster::Communicator& communicator) {
    StepShape shape;
    shape.seq_len = 3;
    shape.batch = 8;
    shape.input_size = 2;
    shape.hidden_size = 4;
    const Computation computation = measure_computation(communicator, shape, 1, 0.01);
    EXPECT_GT(computation.seconds, 0);
    EXPECT_GE(computation.slowest, computation.seconds);
    EXPECT_GT(computation.update, 0);
    EXPECT_GT(computation.window, 0);
    EXPECT_GE(computation.sigma, 0);
  });
  EXPECT_THAT(run.lines(), ::testing::IsEmpty());
}

TEST(FirstRanksTest, TheFirstWorkAndTheOthersWait) {
  quadgate::testing::InProcessRanks run(3);
  std::atomic<int> calls = 0;
  run.run([&](cluster::Communicator& communicator) {
    FirstRanks first(communicator);
    for (const int count : {1, 2, 3, 2}) {
      first.run(count, [&](cluster::Communicator* some) {
        ++calls;
        EXPECT_EQ(some == nullptr ? 1 : some->world_size(), count);
        if (some != nullptr) meet(*some);
      });
      EXPECT_GE(calls, count);
    }
  });
  EXPECT_EQ(calls, 1 + 2 + 3 + 2);
  EXPECT_THAT(run.lines(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace quadgate::apps
