#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/cluster/communicator.h"
#include "engine/cluster/gradient_exchange.h"
#include "engine/model/batch.h"
#include "engine/training/network.h"
#include "engine/training/optimizer.h"

namespace quadgate {

/// The passes of a network over batches that are cut into `grad_shards` shards of their rows, which
/// the ranks of a run share: shard s of G has rows [N s / G, N (s + 1) / G) of N. Sums over shards
/// are taken in an order that G alone decides, so that every result has the same bits at every
/// number of ranks.
///
/// All calls but those that say otherwise are collective: every rank makes the same ones in the
/// same order, with its share of the batch's rows (Batch::whole_rows), or with all of them. They
/// throw what the network throws, and cluster::Failure.
class ShardedNetwork {
 public:
  /// For batches of at most `batch_size` rows, or of as many where states are carried. `network`,
  /// planned for batches of shard_rows, and `communicator` must outlive it. Throws InvalidArgument
  /// unless world_size <= grad_shards <= batch_size.
  ShardedNetwork(Network& network, cluster::Communicator& communicator, std::int64_t batch_size,
                 std::int64_t grad_shards);
  ~ShardedNetwork();
  ShardedNetwork(const ShardedNetwork&) = delete;
  ShardedNetwork& operator=(const ShardedNetwork&) = delete;

  /// Rows of the largest shard of a batch. Not collective.
  static std::int64_t shard_rows(std::int64_t batch_size, std::int64_t grad_shards) noexcept {
    return (batch_size + grad_shards - 1) / grad_shards;
  }
  int rank() const noexcept { return communicator_.rank(); }
  /// The shards whose rows are this rank's, [first_shard, last_shard). Not collective.
  std::int64_t first_shard() const noexcept { return exchange_.first_shard(); }
  std::int64_t last_shard() const noexcept { return exchange_.last_shard(); }
  std::int64_t grad_shards() const noexcept { return grad_shards_; }
  /// What this rank's gradients and updates are of. Not collective.
  std::vector<FlatRange> owned() const;

  /// As those of Network, for the whole batch. The gradient is right in the owned ranges.
  Metrics evaluate(const Batch& batch);
  Derivative differentiate(const Batch& batch, const DropoutKey& dropout);
  /// The norm of a flat array that is right in the owned ranges.
  double norm(std::span<const float> values);
  /// As Network::update. `optimizer` has state for the owned ranges. The weights of other ranks
  /// come while the next pass runs (Network::set_arrival).
  void update(Optimizer& optimizer, const Gradient& gradient, float scale);
  /// The state of all parameters, at rank 0, where `to` is not null.
  void gather(const Optimizer& from, Optimizer* to);

  /// The carried states of all rows of a batch, at rank 0, if the network carries any.
  RecurrentStates gather_states();
  /// Takes over this rank's. Not collective.
  void set_states(const RecurrentStates& all);
  /// Makes them zeros. Not collective.
  void reset_states();

  /// What the first rank gives.
  double of_first(double value);

  /// Flags of any meaning that go with the next pass. Not collective.
  void set_flags(std::uint32_t flags) noexcept { flags_ = flags; }
  /// The flags that any rank had in the last pass. Not collective.
  std::uint32_t flags() const noexcept { return all_flags_; }

 private:
  /// What the ranks tell each other of a pass over a shard.
  struct Record {
    Metrics metrics;
    std::uint32_t flags = 0;
  };

  /// The first row of a shard.
  std::int64_t cut(std::int64_t rows, std::int64_t shard) const noexcept {
    return rows * shard / grad_shards_;
  }
  template <typename Pass>
  void for_each_shard(const Batch& batch, Pass pass);
  Derivative differentiate_last(const Batch& rows, const DropoutKey& key);
  void count(const FlatRange& range);
  const Batch& part(const Batch& batch, std::int64_t first, std::int64_t end);
  Metrics sum_metrics() noexcept;
  void add_rows(const SparseRows& rows);
  SparseRows all_rows();

  Network& network_;
  cluster::Communicator& communicator_;
  std::int64_t batch_size_;
  std::int64_t grad_shards_;
  cluster::GradientExchange exchange_;
  std::vector<int> tasks_;  // of each bucket of the exchange; none: they do not tell
  std::unique_ptr<std::atomic<int>[]> left_;  // of them, in a pass
  GradientListener listener_;
  std::vector<RecurrentStates> states_;  // of each of this rank's shards, where states are carried
  Batch part_;
  std::vector<Record> records_;              // of this rank's shards
  std::vector<Record> all_records_;          // of each rank
  SparseRows table_;                         // without what is present
  std::vector<std::uint64_t> has_row_;       // a bit a row of the table
  std::vector<std::uint64_t> all_have_row_;  // of each rank
  std::vector<std::int32_t> rows_;           // that any rank has
  std::uint32_t flags_ = 0;
  std::uint32_t all_flags_ = 0;
};

}  // namespace quadgate
