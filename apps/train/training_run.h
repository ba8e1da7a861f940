#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "apps/common/progress.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/model/checkpoint.h"
#include "io/model/checkpoint_writer.h"

namespace quadgate::apps {

/// The epochs of `quadgate train`, from where the training stands to the last one, with progress,
/// metrics and checkpoints.
class TrainingRun {
 public:
  struct Output {
    bool progress = true;  ///< progress and messages to stderr
    bool json = false;     ///< an object a finished epoch to stdout
  };

  /// All but `config`, `state` and `output` must outlive the run. Weights, optimizer and `state`
  /// belong together. Throws InvalidArgument if the config's schedule is not complete.
  TrainingRun(const RunConfig& config, const RunFolder& folder, Dataset& data, Trainer& trainer,
              TrainingState state, const Output& output);

  /// Trains until the last epoch is done or the validation loss has not got better for as long as
  /// the config says, or, after saving, until a stop is requested: false then.
  /// All checkpoints are on the disk then. Throws DataError, naming epoch and step, if the loss is
  /// not finite, and FileError.
  bool run();

 private:
  using Clock = std::chrono::steady_clock;

  bool run_epoch();
  bool run_batches();
  void step(const Batch& batch);
  bool stopped_early() const;
  void finish_epoch(const std::optional<Metrics>& valid);
  std::string metrics_line(const std::optional<Metrics>& valid, double lr) const;
  bool improves(const Metrics& valid);
  bool checkpoint_is_due();
  void save(bool is_best = false);
  void say(const std::string& line) const;
  void show_progress();
  std::string progress_text() const;
  double sequences_per_second() const;

  RunConfig config_;
  const RunFolder& folder_;
  Dataset& data_;
  Split& train_;
  Trainer& trainer_;
  TrainingState state_;
  Schedule schedule_;
  Output output_;
  ModelDescription description_;
  std::optional<Progress> progress_;
  CheckpointWriter writer_;
  std::int64_t num_batches_;
  Clock::time_point last_save_;
  bool put_off_ = false;              // a checkpoint is due since an update before this one
  double checkpoint_seconds_ = 0;     // that training stood still since the last metrics line
  double epoch_seconds_ = 0;          // of training in this epoch, since the program started
  double data_wait_seconds_ = 0;      // of it spent waiting for batches
  std::int64_t epoch_sequences_ = 0;  // trained on in that time
};

}  // namespace quadgate::apps
