#pragma once

#include <chrono>
#include <cstdint>

#include "apps/train/monitor.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "engine/training/trainer.h"
#include "io/model/checkpoint.h"
#include "io/model/checkpoint_writer.h"

namespace quadgate::apps {

/// What ranks tell each other with a pass (ShardedNetwork::set_flags).
inline constexpr std::uint32_t kStop = 1;
inline constexpr std::uint32_t kSave = 2;

/// When a training run saves, and which model is its best. Of several ranks the first writes, and
/// the calls of `save` are collective.
class CheckpointPolicy {
 public:
  /// `trainer` must outlive it.
  CheckpointPolicy(const RunConfig::Train& config, const RunFolder& folder,
                   const ModelDescription& model, Trainer& trainer);

  /// Whether `valid`, of the epoch in progress, is the best so far, which `state` then remembers:
  /// by its accuracy, or the loss of a regression or language model, and, where that is equal, by
  /// its loss.
  bool improves(const Metrics& valid, TrainingState& state) const;
  /// The same by the value of a monitor and, where that is equal, by its loss.
  static bool improves(const Metrics& valid, const Monitor& monitor, double value,
                       TrainingState& state);

  /// Whether to save between two batches of an epoch. A checkpoint that comes due while another is
  /// being written is put off until that is done. Throws FileError if a write failed.
  bool due(const TrainingState& state);

  /// Whether a time since the last save has passed after which there is to be another.
  bool is_late() const;

  /// Copies weights, optimizer and `state`, with the states carried into the next batch, and has
  /// them written, as the best model too if `is_best`. Throws FileError if a write failed,
  /// DataError, with nothing written, if a weight is not finite.
  void save(TrainingState& state, bool is_best = false);

  /// Waits until all is on the disk. Throws FileError if a write failed.
  void finish() {
    if (writer_) writer_->finish();
  }

  /// Seconds that training stood still for saves since the last call.
  double take_seconds();

 private:
  using Clock = std::chrono::steady_clock;

  std::optional<std::int64_t> every_steps_;
  std::optional<std::chrono::duration<double>> every_seconds_;
  bool best_by_loss_;
  Trainer& trainer_;
  std::optional<CheckpointWriter> writer_;  // of the first rank
  Clock::time_point last_save_ = Clock::now();
  bool put_off_ = false;  // due since an update before this one
  double seconds_ = 0;
};

}  // namespace quadgate::apps
