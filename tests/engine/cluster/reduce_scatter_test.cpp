// Sweeps G in 1 to 64 and all R <= G, ranks of one thread whose jobs go on in turns: the sum of
// numbers that cancel has the bits of a recursive scalar sum, and the bytes and messages are those
// of the formulas. No tolerance.

#include "engine/cluster/reduce_scatter.h"

#include <gtest/gtest.h>

#include <bit>
#include <functional>
#include <memory>
#include <vector>

#include "engine/cluster/all_gather.h"
#include "tests/support/in_process_transport.h"
#include "tests/support/tree_reference.h"

namespace quadgate::cluster {
namespace {

/// All ranks of a run in one thread, with blocks of few floats.
class AllRanks {
 public:
  AllRanks(int world_size, std::int64_t shards, std::size_t n, std::size_t block)
      : network_(world_size), plan_(n, world_size, block) {
    for (int rank = 0; rank < world_size; ++rank) {
      ranks_.push_back(std::make_unique<Rank>(network_.transport(rank), plan_, shards, n));
    }
  }

  /// One step of all: every rank has the whole sum afterwards.
  void step(const testing::ShardGradients& gradients) {
    const auto shards = static_cast<std::int64_t>(gradients.size());
    for (auto& rank : ranks_) {
      const auto range = shards_of(rank->messenger.rank(), plan_.world_size(), shards);
      rank->local.clear();
      for (std::int64_t shard = range.first; shard < range.last; ++shard) {
        rank->local.add({0, shard}, gradients[static_cast<std::size_t>(shard)]);
      }
      rank->reduce_scatter.begin(rank->local.parts(), rank->sum);
      for (std::size_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
        rank->reduce_scatter.release(bucket);
      }
    }
    advance([](Rank& rank) -> Job& { return rank.reduce_scatter; });
    for (auto& rank : ranks_) {
      // What is not owned has to come.
      std::vector<float> sum(rank->sum.size(), -1.0F);
      for (std::size_t bucket = 0; bucket < plan_.buckets(); ++bucket) {
        const FlatRange range = plan_.owned(bucket, rank->messenger.rank());
        std::copy_n(rank->sum.data() + range.begin, range.size, sum.data() + range.begin);
      }
      rank->sum = sum;
      rank->all_gather.begin(rank->sum);
    }
    advance([](Rank& rank) -> Job& { return rank.all_gather; });
  }

  const std::vector<float>& sum(int rank) const { return at(rank).sum; }
  Traffic traffic(int rank) const { return at(rank).messenger.traffic(); }
  std::size_t buckets() const { return plan_.buckets(); }
  const ExchangePlan& plan() const { return plan_; }

 private:
  struct Rank {
    Rank(std::unique_ptr<Transport> network, const ExchangePlan& plan, std::int64_t shards,
         std::size_t n)
        : transport(std::move(network)),
          messenger(*transport),
          local(n, shards),
          reduce_scatter(plan, messenger.rank(), shards),
          all_gather(plan, messenger.rank()),
          sum(n) {}

    std::unique_ptr<Transport> transport;
    Messenger messenger;
    TreeSum local;
    ReduceScatter reduce_scatter;
    AllGather all_gather;
    std::vector<float> sum;
  };

  const Rank& at(int rank) const { return *ranks_[static_cast<std::size_t>(rank)]; }

  void advance(const std::function<Job&(Rank&)>& job_of) {
    std::vector<Rank*> busy;
    for (auto& rank : ranks_) busy.push_back(rank.get());
    while (!busy.empty()) {
      std::erase_if(busy, [&](Rank* rank) {
        rank->messenger.poll();
        return job_of(*rank).advance(rank->messenger);
      });
    }
  }

  testing::InProcessNetwork network_;
  ExchangePlan plan_;
  std::vector<std::unique_ptr<Rank>> ranks_;
};

TEST(ReduceScatterTest, EveryNumberOfRanksHasTheBitsOfTheTree) {
  constexpr std::size_t kOdd = 133;  // buckets: five for 2 ranks; the last block is not whole
  for (std::int64_t shards = 1; shards <= 64; ++shards) {
    const testing::ShardGradients gradients = testing::shard_gradients(shards, kOdd);
    const std::vector<float> expected = testing::tree_sum(gradients, kOdd);
    for (int ranks = 2; ranks <= shards; ++ranks) {
      AllRanks run(ranks, shards, kOdd, 2);
      run.step(gradients);
      for (int rank = 0; rank < ranks; ++rank) {
        ASSERT_TRUE(testing::same_bits(run.sum(rank), expected))
            << shards << " shards, rank " << rank << " of " << ranks;
      }
    }
  }
}

TEST(ReduceScatterTest, StepsFollowEachOther) {
  constexpr std::size_t kLong = 1003;
  for (const int ranks : {2, 3, 4, 6, 7}) {
    for (const std::int64_t shards : {12, 48}) {
      AllRanks run(ranks, shards, kLong, 4);
      for (std::uint64_t step = 0; step < 3; ++step) {
        const auto gradients = testing::shard_gradients(shards, kLong, step);
        run.step(gradients);
        const std::vector<float> expected = testing::tree_sum(gradients, kLong);
        for (int rank = 0; rank < ranks; ++rank)
          EXPECT_TRUE(testing::same_bits(run.sum(rank), expected));
      }
    }
  }
}

constexpr std::size_t kSmallBlock = 2;

constexpr int kBuckets = 4;

/// The size of an array in kBuckets buckets that all ranks have equal parts of.
std::int64_t even_size(int ranks) { return std::int64_t{kBuckets * 2 * kSmallBlock} * ranks; }

TEST(ReduceScatterTest, OneSubtreeARankSendsTheLeastThereIs) {
  for (const int ranks : {2, 3, 4, 5, 6, 8, 12, 16, 32, 64}) {
    for (const std::int64_t each : {1, 2, 8}) {
      const std::int64_t n = even_size(ranks);
      const auto size = static_cast<std::size_t>(n);
      AllRanks run(ranks, ranks * each, size, kSmallBlock);
      run.step(testing::shard_gradients(ranks * each, size));
      const int halvings = std::countr_zero(static_cast<unsigned>(ranks));
      const int odd = ranks >> halvings;
      for (int rank = 0; rank < ranks; ++rank) {
        // 2 x 4n (R - 1) / R bytes, 2 log2 R messages a bucket where R is a power of two
        EXPECT_EQ(run.traffic(rank).bytes, 2 * 4 * n / ranks * (ranks - 1));
        EXPECT_EQ(run.traffic(rank).messages, 2 * (halvings + odd - 1) * kBuckets);
        EXPECT_EQ(run.traffic(rank).small_messages, 0);
      }
    }
  }
}

TEST(ReduceScatterTest, OthersSendEachOfTheirSubtrees) {
  for (const int ranks : {2, 3, 4, 5, 7, 8, 16}) {
    constexpr std::int64_t kShards = 48;
    if (std::has_single_bit(static_cast<unsigned>(kShards / ranks)) && kShards % ranks == 0) {
      continue;
    }
    const std::int64_t n = even_size(ranks);
    const auto size = static_cast<std::size_t>(n);
    AllRanks run(ranks, kShards, size, kSmallBlock);
    run.step(testing::shard_gradients(kShards, size));
    const int halvings = std::countr_zero(static_cast<unsigned>(ranks));
    for (int rank = 0; rank < ranks; ++rank) {
      const auto [first, last] = shards_of(rank, ranks, kShards);
      const std::int64_t parts = std::ssize(subtrees(first, last, kShards));
      // (1 + p) x 4n (R - 1) / R bytes, R - 1 + log2 R messages a bucket where R is a power of two
      EXPECT_EQ(run.traffic(rank).bytes, (1 + parts) * 4 * n / ranks * (ranks - 1));
      EXPECT_EQ(run.traffic(rank).messages,
                (ranks - 1 + halvings + (ranks >> halvings) - 1) * kBuckets);
    }
  }
}

}  // namespace
}  // namespace quadgate::cluster
