#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/phase_times.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/dropout_key.h"
#include "engine/model/gradient.h"
#include "engine/model/loss.h"
#include "engine/model/network_options.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/threads/arena.h"

namespace quadgate {

class Backend;
class GradientNorm;
class Optimizer;
struct StepPlan;

/// A model planned for batches of at most `batch_size` sequences of at most `seq_len` steps. It has
/// the parameters, and runs the passes over a batch on the cores of an arena. Every result has the
/// same bits at every number of threads.
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
  /// The weights, once all have come. A pass takes over those that an editor has changed, and
  /// throws InvalidArgument while one is open.
  Parameters& parameters();
  const Parameters& parameters() const;
  /// Weights may come later than the end of the editor that changes them: `arrival` tells whether
  /// those in a range are there, or, if it `waits`, returns once they are. A pass calls it for what
  /// it is about to read. Null: all are there.
  void set_arrival(std::function<bool(const FlatRange& range, bool waits)> arrival);
  /// The ranges for which a pass waits, in its order. None: it waits for all at once.
  std::vector<FlatRange> awaited_ranges() const;
  /// onednn or native.
  BackendKind backend() const noexcept;
  /// With carries_states: the states in which the next batch begins, of as many rows. They are
  /// zeros, of batch_size rows, at first. Every pass over a batch, evaluate and predict too, leaves
  /// its final states there. Else null.
  RecurrentStates* carried_states() noexcept;
  /// Before the first piece of a text: the states that are carried, if any are, become zeros.
  void reset_states() noexcept;
  /// Where the cores spent their time, since construction.
  PhaseTimes& phase_times() noexcept;

  /// Forward only: the metrics. An empty batch has no items. Throws InvalidArgument if the batch
  /// does not fit the plan or the task, and DataError if a target (see Loss::expect_targets) or a
  /// token is out of range.
  Metrics evaluate(const Batch& batch);

  /// Forward only: writes the head's outputs (logits or values), in row order, to `outputs`
  /// [N, output_size], or [sum of lengths, output_size] for tagging. Throws like `evaluate`.
  void predict(const Batch& batch, std::span<float> outputs);

  /// Forward and backward: the metrics and the gradient of the mean loss, valid until the next
  /// call. The gradient is 0 if no item counts. Throws like `evaluate`, and InvalidArgument if the
  /// network is forward_only.
  Derivative differentiate(const Batch& batch, const DropoutKey& dropout);
  /// The same of the sum of the losses, for a batch that is a part of another. `listener`, unless
  /// null, hears each of gradient_ranges() once. The norm's last digits depend on the CPU, even in
  /// consistent arithmetic: a caller takes that of the whole.
  Derivative differentiate_sum(const Batch& batch, const DropoutKey& dropout,
                               const GradientListener* listener = nullptr);
  /// The ranges of the gradient that tasks write to, one as often as it has tasks. None: the
  /// backend does not tell.
  std::vector<FlatRange> gradient_ranges() const;
  /// How the cores of the arena share a training step of a batch. None: the backend does not tell.
  /// Throws like `evaluate`.
  std::optional<StepPlan> step_plan(const Batch& batch);
  /// Where the gradient of each pass is.
  std::span<const float> gradient_values() const noexcept;

  /// Updates the weights by a step of `optimizer` from `gradient * scale`, as Optimizer::step does,
  /// and takes each over for the next pass while it is in a cache.
  void update(Optimizer& optimizer, const Gradient& gradient, float scale);

 private:
  void prepare(const Batch& batch);
  void expect_fit(const Batch& batch) const;
  void pack();

  ModelConfig config_;
  std::int64_t seq_len_;
  std::int64_t batch_size_;
  bool forward_only_;
  Loss loss_;
  Arena& arena_;
  Parameters parameters_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<GradientNorm> norm_;  // null: a pass adds it up on its way
  std::function<bool(const FlatRange& range, bool waits)> arrival_;
  std::uint64_t packed_version_ = 0;  // of the parameters; 0: none
};

}  // namespace quadgate
