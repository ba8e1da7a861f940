// Sweeps 1 to 8 ranks in threads and several numbers of shards: whole steps, with shards without
// rows and of numbers that are none, have the bits of a recursive scalar sum. No tolerance but for
// the sum of squares.

#include "engine/cluster/gradient_exchange.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "tests/support/in_process_ranks.h"
#include "tests/support/tree_reference.h"

namespace quadgate::cluster {
namespace {

constexpr std::size_t kSize = 300'007;  // 74 blocks; 3 to 19 buckets

/// One step, with the gradients in `reused` in turn. Returns the sum in all of its ranges.
std::vector<float> step(GradientExchange& exchange, const testing::ShardGradients& gradients,
                        std::vector<float>& reused) {
  const bool one_shard = exchange.last_shard() - exchange.first_shard() == 1;
  for (std::int64_t shard = exchange.first_shard(); shard < exchange.last_shard(); ++shard) {
    const auto& gradient = gradients[static_cast<std::size_t>(shard)];
    if (gradient.empty()) {
      exchange.add_absent();
      continue;
    }
    reused = gradient;
    exchange.add(reused);
    if (!one_shard) std::ranges::fill(reused, 7.0F);
  }
  const std::span<const float> sum = exchange.reduce_scatter();
  std::vector<float> weights(kSize, -1.0F);
  for (const FlatRange& range : exchange.owned()) {
    std::ranges::copy(sum.subspan(range.begin, range.size), weights.data() + range.begin);
  }
  exchange.all_gather(weights);
  return weights;
}

/// The same step, but buckets travel while others are computed, by two threads and from the last to
/// the first, and weights come while there is something else to do.
std::vector<float> step_ahead(GradientExchange& exchange,
                              const testing::ShardGradients& gradients) {
  const std::vector<float> absent(kSize, TreeSum::kAbsent);
  const auto of = [&](std::int64_t shard) -> const std::vector<float>& {
    const auto& gradient = gradients[static_cast<std::size_t>(shard)];
    return gradient.empty() ? absent : gradient;
  };
  const std::int64_t last = exchange.last_shard() - 1;
  for (std::int64_t shard = exchange.first_shard(); shard < last; ++shard) exchange.add(of(shard));
  std::vector<float> computed(kSize, -7.0F);
  exchange.begin_last(computed);
  const auto compute = [&](std::size_t rest) {
    for (std::size_t number = exchange.buckets(); number-- > 0;) {
      if (number % 2 != rest) continue;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      const auto [begin, size] = exchange.bucket(number);
      std::ranges::copy(std::span(of(last)).subspan(begin, size), computed.data() + begin);
      exchange.release(number);
    }
  };
  std::jthread even([&] { compute(0); });
  compute(1);
  even.join();
  const std::span<const float> sum = exchange.reduce_scatter();
  std::vector<float> weights(kSize, -1.0F);
  for (const FlatRange& range : exchange.owned()) {
    std::ranges::copy(sum.subspan(range.begin, range.size), weights.data() + range.begin);
  }
  exchange.begin_all_gather(weights);
  std::vector<float> found(kSize);
  for (std::size_t begin = 0; begin < kSize; begin += 1000) {
    const FlatRange range{begin, std::min(std::size_t{1000}, kSize - begin)};
    exchange.wait_for(range);
    EXPECT_TRUE(exchange.has_come(range));
    std::ranges::copy(std::span(weights).subspan(begin, range.size), found.data() + begin);
  }
  exchange.wait_for({0, kSize});
  return found;
}

class GradientExchangeTest : public ::testing::TestWithParam<int> {};

TEST_P(GradientExchangeTest, StepsHaveTheBitsOfTheTreeAtEveryNumberOfRanks) {
  testing::ShardGradients gradients = testing::shard_gradients(GetParam(), kSize);
  if (gradients.size() > 2) {
    gradients[1].clear();
    gradients.back().clear();
  }
  const std::vector<float> expected = testing::tree_sum(gradients, kSize);
  std::vector<double> squares;
  for (const int ranks : {1, 2, 3, 5, 8}) {
    if (ranks > GetParam()) continue;
    testing::InProcessRanks run(ranks);
    std::vector<double> of_ranks(static_cast<std::size_t>(ranks));
    run.run([&](Communicator& communicator) {
      GradientExchange exchange(communicator, kSize, GetParam());
      std::vector<float> reused(kSize);
      EXPECT_TRUE(testing::same_bits(step_ahead(exchange, gradients), expected));
      constexpr std::array kOrder{FlatRange{100'000, 60'000}, FlatRange{kSize - 1, 1},
                                  FlatRange{0, 100'001}};
      exchange.set_gather_order(kOrder);
      EXPECT_TRUE(testing::same_bits(step_ahead(exchange, gradients), expected));
      const std::vector<float> sum = step(exchange, gradients, reused);
      EXPECT_TRUE(testing::same_bits(sum, expected));
      const int rank = communicator.rank();
      of_ranks[static_cast<std::size_t>(rank)] = exchange.sum_of_squares(sum);
      std::vector<int> all(static_cast<std::size_t>(ranks));
      EXPECT_EQ(exchange.sum_of_squares(sum, std::as_bytes(std::span(&rank, 1)),
                                        std::as_writable_bytes(std::span(all))),
                of_ranks[static_cast<std::size_t>(rank)]);
      for (int other = 0; other < ranks; ++other) {
        EXPECT_EQ(all[static_cast<std::size_t>(other)], other);
      }
    });
    EXPECT_THAT(run.lines(), ::testing::IsEmpty());
    squares.insert(squares.end(), of_ranks.begin(), of_ranks.end());
  }
  double square = 0;
  for (const float value : expected) square += static_cast<double>(value) * value;
  EXPECT_NEAR(squares[0], square, 1e-6 * square);
  EXPECT_THAT(squares, ::testing::Each(squares[0]));
}

INSTANTIATE_TEST_SUITE_P(Shards, GradientExchangeTest, ::testing::Values(1, 2, 4, 12, 13));

TEST(GradientExchangeLimitsTest, WithoutANetworkAllIsHere) {
  Communicator communicator;
  const testing::ShardGradients gradients = testing::shard_gradients(6, kSize);
  GradientExchange exchange(communicator, kSize, 6);
  std::vector<float> reused(kSize);
  EXPECT_EQ(exchange.first_shard(), 0);
  EXPECT_EQ(exchange.last_shard(), 6);
  EXPECT_TRUE(
      testing::same_bits(step(exchange, gradients, reused), testing::tree_sum(gradients, kSize)));
  EXPECT_EQ(communicator.traffic().bytes, 0);
}

TEST(GradientExchangeLimitsTest, OneShardOfOneRankIsNotCopied) {
  Communicator communicator;
  const std::vector<float> gradient(kSize, 2.0F);
  GradientExchange exchange(communicator, kSize, 1);
  exchange.add(gradient);
  EXPECT_EQ(exchange.reduce_scatter().data(), gradient.data());
}

TEST(GradientExchangeLimitsTest, AnExceptionWhileBucketsTravelEndsAll) {
  testing::InProcessRanks run(3);
  run.run([](Communicator& communicator) {
    const std::vector<float> gradient(kSize);
    GradientExchange exchange(communicator, kSize, 3);
    exchange.begin_last(gradient);
    exchange.release(0);
    if (communicator.rank() == 1) throw Failure("of the test");
    exchange.release(1);
    exchange.reduce_scatter();
  });
  EXPECT_THAT(run.lines(), ::testing::ElementsAre("rank 1 (n1): it ended with an error"));
  EXPECT_EQ(run.failed().size(), 3);
}

TEST(GradientExchangeLimitsTest, NanOfOneRankIsSeenByAll) {
  testing::ShardGradients gradients = testing::shard_gradients(4, kSize);
  gradients[2][kSize - 1] = std::numeric_limits<float>::quiet_NaN();
  testing::InProcessRanks run(4);
  run.run([&](Communicator& communicator) {
    GradientExchange exchange(communicator, kSize, 4);
    std::vector<float> reused(kSize);
    const std::vector<float> sum = step(exchange, gradients, reused);
    EXPECT_TRUE(std::isnan(sum.back()));
    EXPECT_TRUE(std::isnan(exchange.sum_of_squares(sum)));
  });
  EXPECT_THAT(run.lines(), ::testing::IsEmpty());
}

TEST(GradientExchangeLimitsTest, FewElementsLeaveRanksWithoutAShare) {
  testing::InProcessRanks run(5);
  run.run([](Communicator& communicator) {
    GradientExchange exchange(communicator, 3, 5);
    const std::vector<float> gradient{1.0F, 2.0F, 3.0F};
    exchange.add(gradient);
    const std::span<const float> sum = exchange.reduce_scatter();
    std::vector<float> weights(3);
    for (const FlatRange& range : exchange.owned()) {
      std::ranges::copy(sum.subspan(range.begin, range.size), weights.data() + range.begin);
    }
    EXPECT_EQ(exchange.sum_of_squares(sum), 25.0 + 100.0 + 225.0);
    exchange.all_gather(weights);
    EXPECT_THAT(weights, ::testing::ElementsAre(5.0F, 10.0F, 15.0F));
  });
}

TEST(GradientExchangeLimitsTest, RefusesFewerShardsThanRanks) {
  testing::InProcessRanks run(3);
  run.run([](Communicator& communicator) {
    try {
      GradientExchange exchange(communicator, 10, 2);
      ADD_FAILURE();
    } catch (const InvalidArgument& error) {
      EXPECT_STREQ(error.what(), "grad_shards: expected at least 3, the number of ranks, found 2");
    }
  });
}

}  // namespace
}  // namespace quadgate::cluster
