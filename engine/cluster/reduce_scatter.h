#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/cluster/exchange_plan.h"
#include "engine/cluster/job.h"
#include "engine/cluster/sum_tree.h"

namespace quadgate::cluster {

/// Shards [first, last) of a rank.
struct ShardRange {
  std::int64_t first;
  std::int64_t last;
};
ShardRange shards_of(int rank, int world_size, std::int64_t shards) noexcept;

/// The ranks' parts of a sum over shards come together in its tree, and each rank gets what it
/// owns.
///
/// Where each rank has one subtree, ranks whose nodes are the halves of one halve a range:
/// neighbours first. Else, and within a group in the end, each sends the slices of its parts to
/// their owners.
class ReduceScatter final : public Job {
 public:
  /// This rank's part, of two ranks or more. `plan` must outlive it.
  ReduceScatter(const ExchangePlan& plan, int rank, std::int64_t shards);

  /// The next sum, of arrays [n] of this rank's subtrees, which stay until it is over. Then the
  /// owned ranges of `sum` [n] are right.
  void begin(std::span<const TreeSum::Part> parts, std::span<float> sum) noexcept;
  /// A bucket of the arrays is right: it may travel. Any thread may call it.
  void release(std::size_t bucket) noexcept;
  bool advance(Messenger& messenger) override;

 private:
  /// Where a bucket is on its way.
  struct Bucket {
    std::size_t number = 0;
    Buffer received{};
    std::atomic<bool> is_released = false;
    int step = 0;
    bool under_way = false;  // the step
    int receiving = 0;       // pieces
  };
  /// One that shares out with this rank.
  struct Member {
    int rank;
    std::vector<TreeNode> nodes;
  };

  bool advance(Bucket& bucket, Messenger& messenger);
  void begin_halving(Bucket& bucket, Messenger& messenger);
  void end_halving(const Bucket& bucket);
  void begin_sharing(Bucket& bucket, Messenger& messenger);
  void end_sharing(const Bucket& bucket);

  const ExchangePlan& plan_;
  int rank_;
  int halvings_ = 0;           // the first steps
  std::vector<Member> group_;  // of the last step; in the order of the tree, with this rank
  std::size_t index_ = 0;      // of this rank in it
  TreeSum block_;              // what end_sharing adds up
  std::vector<Bucket> buckets_;
  std::span<const TreeSum::Part> parts_;
  std::span<float> sum_;
  std::vector<std::span<const std::byte>> slices_;  // of a message
  int sending_ = 0;                                 // pieces
};

}  // namespace quadgate::cluster
