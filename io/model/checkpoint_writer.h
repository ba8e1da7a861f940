#pragma once

#include <condition_variable>
#include <exception>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "engine/model/parameters.h"
#include "engine/training/optimizer.h"
#include "io/model/checkpoint.h"
#include "io/model/model_description.h"

namespace quadgate {

/// Writes the checkpoints of a training run in a thread of its own, so that training stands still
/// only while they are copied. What is on the disk is always what save_checkpoint and save_model
/// make of some moment of the run; the copy takes as much memory again as weights and optimizer.
class CheckpointWriter {
 public:
  /// `parameters` and `optimizer` give the layout of those to come; the files are `checkpoint`,
  /// the one before it, and `best`.
  CheckpointWriter(std::filesystem::path checkpoint, std::filesystem::path best,
                   ModelDescription model, const Parameters& parameters,
                   const OptimizerConfig& optimizer);
  /// Waits until what was asked for is written. An error in that is lost: `finish` tells it.
  ~CheckpointWriter() = default;
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Whether a checkpoint is being written, for which `save` would wait. Throws like `finish`.
  bool busy();

  /// Copies the three, the optimizer by a call of `copy_optimizer`, allocating nothing in steady
  /// state, and has them written: the model as
  /// `best` first if `is_best`, so that no checkpoint knows of a best model that is not there, then
  /// the checkpoint. Waits for the one before it. Throws like `finish`, with nothing copied.
  void save(const Parameters& parameters, const std::function<void(Optimizer*)>& copy_optimizer,
            const TrainingState& state, bool is_best);

  /// Waits until all that was asked for is on the disk. Throws the FileError of the first write
  /// that failed since the last such throw; the files are then as they were before it.
  void finish();

 private:
  /// A moment of the run.
  struct Copy {
    Parameters parameters;
    Optimizer optimizer;
    TrainingState state{};
    bool is_best = false;
  };

  void run(const std::stop_token& stop);
  void write() const;
  void wait(std::unique_lock<std::mutex>& lock);

  std::filesystem::path checkpoint_;
  std::filesystem::path best_;
  ModelDescription model_;
  Copy copy_;  // the thread's while has_copy_

  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool has_copy_ = false;     // guarded by mutex_, as the next
  std::exception_ptr error_;  // of the thread, until it is thrown
  std::jthread thread_;       // last: stopped and joined before the rest goes
};

}  // namespace quadgate
