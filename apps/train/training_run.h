#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/train/checkpoint_policy.h"
#include "apps/train/monitor.h"
#include "apps/train/run_config.h"
#include "apps/train/run_folder.h"
#include "apps/train/training_report.h"
#include "engine/training/trainer.h"
#include "io/data/dataset.h"
#include "io/data/loader.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// The epochs of `quadgate train`, from where the training stands to the last one.
class TrainingRun {
 public:
  /// `folder`, `data`, `trainer` and `monitor`, if it is not null, must outlive the run. Weights,
  /// optimizer and `state` belong together. Throws InvalidArgument if the config's schedule is not
  /// complete.
  TrainingRun(const RunConfig& config, const RunFolder& folder, Dataset& data, Trainer& trainer,
              TrainingState state, const Monitor* monitor, const TrainingReport::Output& output);

  /// Trains until the last epoch is done or the validation loss, or what is monitored, has not got
  /// better for as long as the config says, or, after saving, until a stop is requested: false
  /// then. Of a run that has come to its end before, it says so. All checkpoints are on the disk
  /// then. Throws DataError, naming epoch and step, if the loss is not finite, and FileError.
  bool run();

 private:
  bool run_epoch();
  std::optional<double> run_batches();
  std::optional<Metrics> validate();
  std::optional<double> monitored(const Metrics& valid);
  void step(const Batch& batch);
  void tell_ranks();
  bool stopping() const;
  void finish_epoch(TrainingReport::Epoch epoch);
  bool stopped_early() const;
  void say_finished();
  std::string best_text() const;
  std::string baseline_text() const;

  RunConfig::Train config_;
  std::vector<std::filesystem::path> data_paths_;
  const RunFolder& folder_;
  Dataset& data_;
  Split& train_;
  Trainer& trainer_;
  TrainingState state_;
  RowShare share_;
  Schedule schedule_;
  ModelDescription model_;
  const Monitor* monitor_;  // or null
  bool tells_;              // messages
  TrainingReport report_;
  CheckpointPolicy checkpoints_;
  std::int64_t num_batches_;
};

}  // namespace quadgate::apps
