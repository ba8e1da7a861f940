#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "apps/common/progress.h"
#include "apps/train/run_folder.h"
#include "engine/model/loss.h"
#include "io/model/checkpoint.h"

namespace quadgate::apps {

/// What a training run tells: progress and messages to stderr, messages alone to a Host; a line of
/// metrics an epoch to the run's folder and to stdout.
class TrainingReport {
 public:
  struct Output {
    bool progress = true;  ///< progress and messages to stderr
    bool json = false;     ///< an object a finished epoch to stdout
    bool file = true;      ///< the run's metrics.jsonl
    std::function<void(std::string_view line)> on_epoch{};  ///< gets that line, or none
  };
  /// How long a run is.
  struct Size {
    std::int64_t epochs;
    std::int64_t sequences;  ///< of an epoch
    std::int64_t batch_size;
  };
  /// What a finished epoch gave, beside the metrics of its training.
  struct Epoch {
    std::optional<Metrics> valid{};
    std::optional<double> monitored{};  ///< a number of the valid split to go by, if there is one
    std::string monitor{};              ///< its name, if `valid` does not tell it
    double lr = 0;
    double data_wait_seconds = 0;
    double checkpoint_seconds = 0;
  };

  /// `folder` and `model` must outlive it.
  TrainingReport(Output output, const Size& size, const RunFolder& folder,
                 const ModelDescription& model);

  /// From here on, time and sequences are those of a new epoch.
  void begin_epoch();
  /// Counts a batch, after which the training stands at `state`, and shows the progress now and
  /// then.
  void add_batch(std::int64_t sequences, double seconds, const TrainingState& state);
  /// The line of metrics.jsonl for the epoch that `state` has just finished, its metrics still in
  /// `state.running`.
  std::string metrics_line(const Epoch& epoch, const TrainingState& state) const;
  /// Tells of the epoch that `state` has just finished: `state.last_metrics` is its line, and
  /// `train` its metrics. Throws FileError.
  void finish_epoch(const TrainingState& state, const Metrics& train, const Epoch& epoch);
  /// A line about the end of the run, below its progress.
  void say_last(const std::string& line);

 private:
  using Clock = std::chrono::steady_clock;

  std::string progress_text(const TrainingState& state) const;
  double sequences_per_second() const;

  Output output_;
  Size size_;
  const RunFolder& folder_;
  const ModelDescription& model_;
  std::optional<Progress> progress_;
  double seconds_ = 0;          // of training in this epoch, since the program started
  std::int64_t sequences_ = 0;  // trained on in that time
};

}  // namespace quadgate::apps
