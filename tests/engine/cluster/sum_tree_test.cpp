// Sweeps 1 to 70 shards, each cut in two at every place, with numbers that cancel and shards
// without rows: the bits of a recursive scalar sum. No tolerance.

#include "engine/cluster/sum_tree.h"

#include <gmock/gmock.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/support/tree_reference.h"

namespace quadgate::cluster {
namespace {

using ::testing::ElementsAre;

constexpr std::size_t kElements = 5;

/// Adds shards [first, last) to `sum`, each from memory that is used again.
void add_shards(const testing::ShardGradients& gradients, std::int64_t first, std::int64_t last,
                TreeSum& sum) {
  std::vector<float> values(kElements);
  for (std::int64_t shard = first; shard < last; ++shard) {
    const auto& gradient = gradients[static_cast<std::size_t>(shard)];
    values = gradient.empty() ? std::vector<float>(kElements, TreeSum::kAbsent) : gradient;
    sum.add({0, shard}, values);
    sum.keep(kElements);
  }
}

TEST(TreeSumTest, HasTheBitsOfTheTreeWhereverTheShardsAreCut) {
  for (std::int64_t shards = 1; shards <= 70; ++shards) {
    testing::ShardGradients gradients = testing::shard_gradients(shards, kElements);
    for (std::size_t absent = 1; absent < gradients.size(); absent += 3) gradients[absent].clear();
    const std::vector<float> expected = testing::tree_sum(gradients, kElements);
    for (std::int64_t cut = 0; cut <= shards; ++cut) {
      TreeSum left(kElements, shards);
      TreeSum right(kElements, shards);
      add_shards(gradients, 0, cut, left);
      add_shards(gradients, cut, shards, right);
      TreeSum all(kElements, shards);
      for (const TreeSum* half : {&left, &right}) {
        for (const auto& [node, values] : half->parts()) all.add(node, {values, kElements});
      }
      ASSERT_EQ(all.parts().size(), 1);
      for (std::size_t i = 0; i < kElements; ++i) {
        ASSERT_EQ(all.parts()[0].values[i], expected[i]) << shards << " cut at " << cut;
      }
    }
  }
}

TEST(TreeSumTest, AnotherOrderHasOtherBits) {
  const testing::ShardGradients gradients = testing::shard_gradients(16, kElements);
  std::vector<float> in_turn(kElements);
  for (const auto& gradient : gradients) {
    for (std::size_t i = 0; i < kElements; ++i) in_turn[i] += gradient[i];
  }
  EXPECT_NE(in_turn, testing::tree_sum(gradients, kElements));
}

TEST(TreeSumTest, WhatIsAbsentKeepsSignedZerosInfinityAndNan) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{-0.0F, 0.0F, kInfinity, -kInfinity,
                                  std::numeric_limits<float>::denorm_min()};
  const std::vector<float> absent(values.size(), TreeSum::kAbsent);
  std::vector<float> sum(values.size());
  add_arrays(values, absent.data(), sum.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::bit_cast<std::uint32_t>(sum[i]), std::bit_cast<std::uint32_t>(values[i]));
  }
  const float nan = std::numeric_limits<float>::quiet_NaN();
  add_arrays({&nan, 1}, absent.data(), sum.data());
  EXPECT_TRUE(std::isnan(sum[0]));
}

TEST(TreeSumTest, WhatIsNotKeptStaysWhereItIs) {
  const std::vector<float> values(kElements, 1.0F);
  TreeSum sum(kElements, 1);
  sum.add({0, 0}, values);
  EXPECT_EQ(sum.parts()[0].values, values.data());
}

TEST(SubtreesTest, AreTheLargestThatFit) {
  EXPECT_THAT(subtrees(0, 8, 8), ElementsAre(TreeNode{3, 0}));
  EXPECT_THAT(subtrees(1, 8, 8), ElementsAre(TreeNode{0, 1}, TreeNode{1, 1}, TreeNode{2, 1}));
  EXPECT_THAT(subtrees(3, 5, 8), ElementsAre(TreeNode{0, 3}, TreeNode{0, 4}));
  // The last of five shards is all of the right half.
  EXPECT_THAT(subtrees(4, 5, 5), ElementsAre(TreeNode{2, 1}));
  EXPECT_THAT(subtrees(0, 5, 5), ElementsAre(TreeNode{3, 0}));
  EXPECT_THAT(subtrees(24, 36, 48), ElementsAre(TreeNode{3, 3}, TreeNode{2, 8}));
}

}  // namespace
}  // namespace quadgate::cluster
