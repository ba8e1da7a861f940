#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/model/batch.h"
#include "engine/training/network.h"
#include "engine/training/optimizer.h"

namespace quadgate {

class GradientAccumulator;
class ShardedNetwork;

/// Gradient descent on a network. It updates once a batch, or once every accumulate_steps batches.
class Trainer {
 public:
  /// `network` must outlive the trainer. `seed` keys the dropout masks, together with the
  /// number of the batch. With `shards`, which must outlive it as well, the passes are theirs, of
  /// the ranks' shares of a batch, and the calls that do one are collective.
  /// Throws InvalidArgument (see validate).
  Trainer(Network& network, const OptimizerConfig& config, std::uint64_t seed,
          ShardedNetwork* shards = nullptr);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  Network& network() noexcept { return network_; }
  Optimizer& optimizer() noexcept { return optimizer_; }
  const Optimizer& optimizer() const noexcept { return optimizer_; }
  /// Null where all rows are here, in one shard.
  ShardedNetwork* shards() noexcept { return shards_; }

  /// Runs forward and backward, clips by global norm and updates. Returns the metrics before the
  /// update. With accumulate_steps = K it is PyTorch's loop with loss / K: it adds up the gradients
  /// of K calls; the last of these divides by K, clips and updates. Throws DataError, with the
  /// weights as they were, if the loss or a gradient is not finite, else like Network::evaluate. In
  /// steady state it allocates nothing.
  Metrics step(const Batch& batch);
  /// The batches whose gradients wait for an update. They are fewer than accumulate_steps.
  std::int64_t waiting() const noexcept;
  /// Updates with the gradients that wait, if any, divided by K like all others. It is for the end
  /// of an epoch, which may come before the K-th batch.
  void finish_update();
  /// Forward only. Throws like Network::evaluate.
  Metrics evaluate(const Batch& batch);
  /// As Network::reset_states.
  void reset_states();
  /// The carried states of all rows, at rank 0, if there are any.
  RecurrentStates carried();
  /// Takes over such, of a batch's rows.
  void set_carried(const RecurrentStates& states);
  /// Copies the whole optimizer's state to `to`, which is null at ranks other than 0.
  void copy_optimizer(Optimizer* to);

 private:
  Derivative differentiate(const Batch& batch, const DropoutKey& dropout);
  Gradient sum();
  void update(const Gradient& gradient, double scale);

  Network& network_;
  ShardedNetwork* shards_;  // null: all rows are here, in one shard
  Optimizer optimizer_;
  std::uint64_t seed_;
  std::unique_ptr<GradientAccumulator> sum_;  // if more than one batch makes an update
};

}  // namespace quadgate
