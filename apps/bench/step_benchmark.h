#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "apps/bench/step_shape.h"
#include "engine/threads/step_plan.h"
#include "engine/training/sharded_network.h"
#include "engine/training/trainer.h"

namespace quadgate::apps {

/// The model that a step of this shape trains.
ModelConfig model_of(const StepShape& shape);

/// Random sequences of `shape`, with a random class at every step, the same ones at each call.
/// Throws InvalidArgument unless shape.lengths is empty or "LO:HI".
Batch random_batch(const StepShape& shape);

/// A model of a given shape, a random batch for it, and the cores that train it, or run it forward.
/// The calling thread may be pinned as long as it lives (see Arena).
class StepBenchmark {
 public:
  /// With a communicator, which must outlive it, the ranks train on the batch together, cut into
  /// `grad_shards` shards, and time the same steps. Throws InvalidArgument, naming the flag, if the
  /// shape is impossible.
  StepBenchmark(const StepShape& shape, int threads, Pinning pinning,
                cluster::Communicator* communicator = nullptr,
                std::optional<std::int64_t> grad_shards = {});

  /// As many shards as ranks, rounded up to a power of two: what a run has without grad_shards.
  static std::int64_t shards_for(int ranks) noexcept;

  /// Runs at least `fewest` training steps, one or more, for about `seconds`, and appends the
  /// seconds of each, and to `waits`, unless null, those that it waited for other ranks. Of several
  /// ranks the first step, for which no weights are on their way, is not timed. Returns how many
  /// steps it ran, all of whose messages have come.
  std::size_t time_steps(double seconds, std::size_t fewest, std::vector<double>& times,
                         std::vector<double>* waits = nullptr);

  /// The FLOP/s that all cores reach together without memory, in a burst of about `seconds`.
  double measure_peak(double seconds);

  /// Floating-point operations of a step: by convention three times those of the forward pass's
  /// products. Those of a forward pass alone are these products.
  double step_flops() const;

  /// Where the cores spent their time in all steps so far.
  PhaseTimes phase_times() noexcept { return network_.phase_times(); }

  /// How the cores share a step. None: the backend does not tell.
  std::optional<StepPlan> step_plan() { return network_.step_plan(batch_); }

  int threads() const noexcept { return arena_.threads(); }
  const Batch& batch() const noexcept { return batch_; }
  /// The number of weights.
  std::size_t parameters() const noexcept { return network_.parameters().values().size(); }
  /// Whether gradients are sent while others are computed.
  bool sends_early() const { return !network_.gradient_ranges().empty(); }

  BackendKind backend() const noexcept { return network_.backend(); }

 private:
  void step();

  bool forward_;
  Precision precision_;
  Arithmetic arithmetic_;
  cluster::Communicator* communicator_;
  std::int64_t grad_shards_;
  Batch batch_;
  Arena arena_;
  Network network_;
  std::unique_ptr<ShardedNetwork> shards_;  // if there are several ranks
  Batch share_;                             // of the batch: this rank's, likewise
  std::optional<Trainer> trainer_;          // unless it runs forward alone
  std::vector<float> outputs_;              // of the head, if it does
  double peak_rounds_per_second_ = 1e8;     // of the fastest burst so far; at first a low guess
};

}  // namespace quadgate::apps
