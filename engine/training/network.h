#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "engine/base/phase_times.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/dropout_key.h"
#include "engine/model/loss.h"
#include "engine/model/network_options.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/threads/arena.h"

namespace quadgate {

class Backend;

/// A model planned for batches of at most `batch_size` sequences of at most `seq_len` steps: its
/// parameters, and the passes over a batch on the cores of an arena. Every result is the same bits
/// at every number of threads.
class Network {
 public:
  /// Plans all memory. `arena` must outlive the network. Throws InvalidArgument (see validate and
  /// make_backend).
  Network(const ModelConfig& config, std::int64_t seq_len, std::int64_t batch_size, Arena& arena,
          const NetworkOptions& options = {});
  ~Network();
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  const ModelConfig& config() const noexcept { return config_; }
  Arena& arena() noexcept { return arena_; }
  /// The weights. After changing them, call `refresh`.
  Parameters& parameters() noexcept { return parameters_; }
  const Parameters& parameters() const noexcept { return parameters_; }
  /// Takes over changed weights: the backend keeps them in a layout of its own.
  void refresh();
  /// onednn or native.
  BackendKind backend() const noexcept;
  /// With carries_states: where the next batch, of batch_size rows, begins, zeros at first; else
  /// null. Every pass over a batch, evaluate and predict too, leaves there where it ended.
  RecurrentStates* carried_states() noexcept;
  /// Where the cores spent their time, since construction.
  PhaseTimes& phase_times() noexcept;

  /// Forward only. Throws InvalidArgument if the batch does not fit the plan or the task, DataError
  /// if a target (see Loss::expect_targets) or token is out of range. An empty batch has no items.
  Metrics evaluate(const Batch& batch);

  /// Forward only; writes the head's outputs (logits or values), in row order, to `outputs`:
  /// [N, output_size], or [sum of lengths, output_size] for tagging. Throws like `evaluate`.
  void predict(const Batch& batch, std::span<float> outputs);

  /// Forward and backward: fills `parameters().gradients()` with those of the mean loss, and
  /// returns its metrics and, in `gradient_norm`, the global norm. Without items that count, the
  /// gradients are 0. Throws like `evaluate`.
  Metrics differentiate(const Batch& batch, const DropoutKey& dropout, double& gradient_norm);

 private:
  void expect_fit(const Batch& batch) const;

  ModelConfig config_;
  std::int64_t seq_len_;
  std::int64_t batch_size_;
  Loss loss_;
  Arena& arena_;
  Parameters parameters_;
  std::unique_ptr<Backend> backend_;
};

}  // namespace quadgate
