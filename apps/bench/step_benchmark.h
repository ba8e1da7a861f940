#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "apps/common/commands.h"
#include "engine/training/trainer.h"

namespace quadgate::apps {

/// The model that a step of this shape trains.
ModelConfig model_of(const StepShape& shape);

/// Random sequences of `shape`, the same ones each time, with a random class at every step. Throws
/// InvalidArgument if shape.lengths is none.
Batch random_batch(const StepShape& shape);

/// A model of a given shape, a random batch for it, and the cores to train it on. While it is
/// there, the calling thread may be pinned (see Arena).
class StepBenchmark {
 public:
  /// Throws InvalidArgument, naming the flag, if the shape is impossible.
  StepBenchmark(const StepShape& shape, int threads, Pinning pinning);

  /// Runs training steps for about `seconds`, at least `fewest`, and appends each one's seconds.
  void time_steps(double seconds, std::size_t fewest, std::vector<double>& times);

  /// Floating-point operations a second that the cores reach together without memory, in a burst
  /// that takes about `seconds` where nothing disturbs it.
  double measure_peak(double seconds);

  /// Floating-point operations of a step, by convention three times those of the products of the
  /// forward pass.
  double step_flops() const;

  /// What the cores have done in the steps so far.
  PhaseTimes phase_times() noexcept { return network_.phase_times(); }

  int threads() const noexcept { return arena_.threads(); }
  const Batch& batch() const noexcept { return batch_; }

  BackendKind backend() const noexcept { return network_.backend(); }

 private:
  Precision precision_;
  Batch batch_;
  Arena arena_;
  Network network_;
  Trainer trainer_;
  double peak_rounds_per_second_ = 1e8;  // of the fastest burst so far; at first a low guess
};

}  // namespace quadgate::apps
