// Sweeps 1 to 64 ranks and sizes from none to several buckets: what is owned covers the array once,
// in whole blocks, and no rank has more than its share and a block a cut. No tolerance.

#include "engine/cluster/exchange_plan.h"

#include <gtest/gtest.h>

#include <vector>

namespace quadgate::cluster {
namespace {

constexpr std::size_t kBlock = ExchangePlan::kBlock;

TEST(ExchangePlanTest, EveryElementIsOwnedOnceAndCutsAreAtBlocks) {
  for (int ranks = 1; ranks <= 64; ++ranks) {
    for (const std::size_t n :
         {std::size_t{0}, std::size_t{1}, kBlock + 1, 700 * kBlock, std::size_t{3'000'000}}) {
      const ExchangePlan plan(n, ranks);
      ASSERT_EQ(plan.world_size(), ranks);
      std::vector<int> owners((n + kBlock - 1) / kBlock);
      std::size_t sum = 0;
      for (std::size_t bucket = 0; bucket < plan.buckets(); ++bucket) {
        for (int rank = 0; rank < ranks; ++rank) {
          const FlatRange range = plan.owned(bucket, rank);
          sum += range.size;
          if (range.size == 0) continue;
          ASSERT_EQ(range.begin % kBlock, 0);
          ASSERT_TRUE(range.size % kBlock == 0 || range.begin + range.size == n);
          for (std::size_t at = range.begin; at < range.begin + range.size; at += kBlock) {
            ++owners[at / kBlock];
          }
        }
      }
      EXPECT_EQ(sum, n);
      for (const int count : owners) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ExchangePlanTest, BucketsAreTwoBlocksARankOrAPartIn32OfWholeOnes) {
  const auto size_of_first = [](std::size_t n) { return ExchangePlan(n, 2).half(0, 0, 0).size; };
  EXPECT_EQ(ExchangePlan(4 * kBlock, 2).buckets(), 1);
  EXPECT_EQ(ExchangePlan(4 * kBlock + 1, 2).buckets(), 2);
  EXPECT_EQ(size_of_first(4 * kBlock + 1), 4 * kBlock);
  EXPECT_EQ(ExchangePlan(4 * kBlock + 1, 3).buckets(), 1);
  EXPECT_EQ(ExchangePlan(10'000'000, 2).buckets(), 32);
  EXPECT_EQ(size_of_first(10'000'000), (10'000'000 / 32 / (2 * kBlock) + 1) * 2 * kBlock);
  EXPECT_EQ(ExchangePlan(10'000'000, 2).owned(0, 0).size,
            ExchangePlan(10'000'000, 2).owned(0, 1).size);
}

TEST(ExchangePlanTest, FindsTheBucketsOfARange) {
  const ExchangePlan plan(9 * kBlock + 5, 2);
  const auto buckets = [&](std::size_t begin, std::size_t size) {
    const auto [first, end] = plan.buckets_of({begin, size});
    return std::vector{first, end};
  };
  EXPECT_EQ(buckets(0, 1), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(buckets(4 * kBlock - 1, 1), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(buckets(4 * kBlock - 1, 2), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(buckets(4 * kBlock, 5 * kBlock + 5), (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(buckets(9 * kBlock, 5), (std::vector<std::size_t>{2, 3}));
  EXPECT_EQ(buckets(3, 0), (std::vector<std::size_t>{0, 0}));
}

TEST(ExchangePlanTest, NeighboursHalveFirst) {
  const ExchangePlan plan(64 * kBlock, 12);
  EXPECT_EQ(plan.halvings(), 2);
  EXPECT_EQ(plan.group_size(), 3);
  EXPECT_EQ(ExchangePlan::partner(5, 0), 4);
  EXPECT_EQ(ExchangePlan::partner(5, 1), 7);
  EXPECT_EQ(plan.half(0, 4, 1).begin, 0);
  EXPECT_EQ(plan.half(0, 5, 1).begin, 12 * kBlock);
  EXPECT_EQ(plan.half(0, 5, 2).begin, 12 * kBlock);
  EXPECT_EQ(plan.half(0, 7, 2).begin, 18 * kBlock);
  for (int index = 0; index < 3; ++index) {
    EXPECT_EQ(plan.member(5, index), 1 + 4 * index);
    EXPECT_EQ(plan.index(1 + 4 * index), index);
  }
}

}  // namespace
}  // namespace quadgate::cluster
