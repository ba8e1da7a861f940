#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/arena.h"
#include "engine/batch.h"
#include "engine/config.h"
#include "engine/loss.h"
#include "engine/parameters.h"
#include "engine/phase_times.h"

namespace quadgate {

/// Which random numbers the dropout of a training pass draws.
struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t step = 0;
};

/// A model planned for batches of at most `batch_size` sequences of at most `seq_len` steps: its
/// parameters, and the passes over a batch, whose rows it cuts into shards of a fixed size over the
/// cores of an arena. Every result is the same bits at every number of threads.
class Network {
 public:
  /// Plans all memory. `arena` must outlive the network. Throws InvalidArgument (see validate).
  Network(const ModelConfig& config, std::int64_t seq_len, std::int64_t batch_size, Arena& arena);
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const ModelConfig& config() const noexcept { return config_; }
  Arena& arena() noexcept { return arena_; }
  /// The weights. After changing them, call `refresh`.
  Parameters& parameters() noexcept { return parameters_; }
  const Parameters& parameters() const noexcept { return parameters_; }
  /// Takes over changed weights: the LSTM primitives keep them in a layout of their own.
  void refresh();

  /// Forward only. Throws InvalidArgument if the batch does not fit the plan or the task, DataError
  /// if a label is out of range. An empty batch has no items.
  Metrics evaluate(const Batch& batch);

  /// Forward only; writes the head's outputs (logits or values), in row order, to `outputs`:
  /// [N, output_size], or [sum of lengths, output_size] for tagging. Throws like `evaluate`.
  void predict(const Batch& batch, std::span<float> outputs);

  /// Forward and backward: fills `parameters().gradients()` with those of the mean loss, and
  /// returns its metrics and, in `gradient_norm`, the global norm. Throws like `evaluate`.
  Metrics differentiate(const Batch& batch, const DropoutKey& dropout, double& gradient_norm);

  /// What the cores have done since the network was made.
  const PhaseTimes& phase_times() const noexcept { return phase_times_; }

 private:
  struct Shards;
  template <typename PerShard>
  Metrics run(const Batch& batch, PerShard per_shard);

  ModelConfig config_;
  Arena& arena_;
  Parameters parameters_;
  std::unique_ptr<Shards> shards_;
  PhaseTimes phase_times_;
};

}  // namespace quadgate
