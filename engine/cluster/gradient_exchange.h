#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/cluster/communicator.h"
#include "engine/cluster/exchange_plan.h"
#include "engine/cluster/sum_tree.h"
#include "engine/model/parameters.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate::cluster {

class AllGather;
class ReduceScatter;

/// Sums a flat gradient [n] over grad_shards shards in a fixed binary tree and shares out the sum:
/// each rank updates the weights that it owns, which then come to all. The bits depend on the
/// shards, never on the number of ranks.
///
/// A step: add() or add_absent() for each shard of this rank in turn, reduce_scatter(),
/// sum_of_squares() where the norm is wanted, all_gather(). The last three are collective. All
/// memory is there after the first step.
///
/// What travels may do so while the rank computes. begin_last() takes the place of the last add(),
/// before that gradient is right; release() lets a bucket of it go. begin_all_gather() and
/// wait_for() take the place of all_gather().
class GradientExchange {
 public:
  /// `communicator` must outlive it. Throws InvalidArgument unless grad_shards is as large as the
  /// number of ranks, or larger.
  GradientExchange(Communicator& communicator, std::size_t n, std::int64_t grad_shards);
  ~GradientExchange();
  GradientExchange(const GradientExchange&) = delete;
  GradientExchange& operator=(const GradientExchange&) = delete;

  /// This rank's shards [first, last).
  std::int64_t first_shard() const noexcept { return first_; }
  std::int64_t last_shard() const noexcept { return last_; }
  /// The ranges of the flat array whose sum this rank gets and whose weights it updates, in order.
  /// They are cut at blocks of 4,096; a small array may leave a rank without any.
  std::span<const FlatRange> owned() const noexcept { return owned_; }
  /// Those of another rank.
  std::vector<FlatRange> owned_by(int rank) const;

  /// The gradient of this rank's next shard. It may be changed after the call, but where a rank has
  /// one shard it must stay until the next step begins.
  void add(std::span<const float> gradient);
  /// The next shard has no rows.
  void add_absent();

  /// The ranges that travel one by one, from front to back.
  std::size_t buckets() const noexcept { return plan_.buckets(); }
  FlatRange bucket(std::size_t number) const noexcept { return plan_.bucket(number); }
  /// Those that have something in common with a range.
  ExchangePlan::Numbers buckets_of(FlatRange range) const noexcept {
    return plan_.buckets_of(range);
  }
  /// The gradient of this rank's last shard, which is yet to be computed. It stays where it is
  /// until reduce_scatter() returns. Collective. Throws Failure.
  void begin_last(std::span<const float> gradient);
  /// That gradient is right in a bucket; to be said once of each. Any thread may call it.
  void release(std::size_t bucket);

  /// After all shards of this rank: the sum [n], right in the owned ranges. Valid until the next
  /// add. Throws Failure.
  std::span<const float> reduce_scatter();
  /// The sum of the squares of all elements of `values` [n], right in the owned ranges. Every block
  /// of 4,096 gives a double, and they are added from front to back. Throws Failure.
  double sum_of_squares(std::span<const float> values) { return sum_of_squares(values, {}, {}); }
  /// In the same messages records of one size: `mine` of every rank, in rank order, becomes `all`.
  double sum_of_squares(std::span<const float> values, std::span<const std::byte> mine,
                        std::span<std::byte> all);
  /// Every rank's owned ranges of `values` [n] come to all. Throws Failure.
  void all_gather(std::span<float> values);
  /// The same, but a range of `values`, which stays as it is, is right when wait_for() says so,
  /// which any thread may call. The next collective call but begin_last() waits for all. Throws
  /// Failure.
  void begin_all_gather(std::span<float> values);
  void wait_for(FlatRange range);
  /// Whether it is right already. Any thread may call it.
  bool has_come(FlatRange range) const noexcept;
  /// The ranges for which callers wait, in their order: what is in them travels first.
  void set_gather_order(std::span<const FlatRange> ranges);

 private:
  Communicator& communicator_;
  std::size_t n_;
  std::int64_t first_;
  std::int64_t last_;
  ExchangePlan plan_;
  std::vector<FlatRange> owned_;
  TreeSum local_;
  std::int64_t next_;          // shard
  bool is_begun_ = false;      // the sum, by begin_last
  Buffer shared_sum_;          // [n], of two ranks or more
  std::vector<float> absent_;  // [n], once it was needed

  kernels::SumOfSquaresKernel sum_of_squares_;
  std::vector<double> squares_;      // of the owned blocks; as many as the rank with the most has
  std::vector<double> all_squares_;  // of all ranks
  std::vector<std::byte> record_;    // squares_ and the caller's
  std::vector<std::byte> all_records_;       // of all ranks
  std::vector<std::size_t> place_of_block_;  // in all_squares_
  std::unique_ptr<ReduceScatter> reduce_scatter_;
  std::unique_ptr<AllGather> all_gather_;
};

}  // namespace quadgate::cluster
