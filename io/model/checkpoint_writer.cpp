#include "io/model/checkpoint_writer.h"

#include <algorithm>
#include <utility>

namespace quadgate {
CheckpointWriter::CheckpointWriter(std::filesystem::path checkpoint, std::filesystem::path best,
                                   ModelDescription model, const Parameters& parameters,
                                   const OptimizerConfig& optimizer)
    : checkpoint_(std::move(checkpoint)),
      best_(std::move(best)),
      model_(std::move(model)),
      copy_{Parameters(model_.config), Optimizer(optimizer, parameters.values().size())},
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

bool CheckpointWriter::busy() {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  return has_copy_;
}

void CheckpointWriter::save(const Parameters& parameters,
                            const std::function<void(Optimizer*)>& copy_optimizer,
                            const TrainingState& state, bool is_best) {
  std::unique_lock lock(mutex_);
  wait(lock);
  ParameterEditor editor = copy_.parameters.edit();
  std::ranges::copy(parameters.values(), editor.values().begin());
  copy_optimizer(&copy_.optimizer);
  copy_.state = state;
  copy_.is_best = is_best;
  has_copy_ = true;
  changed_.notify_all();
}

void CheckpointWriter::finish() {
  std::unique_lock lock(mutex_);
  wait(lock);
}

void CheckpointWriter::wait(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock, [this] { return !has_copy_; });
  if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
}

// The thread. A stop comes after the last save, which is still written.
void CheckpointWriter::run(const std::stop_token& stop) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      if (!changed_.wait(lock, stop, [this] { return has_copy_; })) return;
    }
    std::exception_ptr error;
    try {
      write();  // without the lock: while has_copy_, the copy is this thread's
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);  // the other thread deletes it
    has_copy_ = false;
    changed_.notify_all();
  }
}

void CheckpointWriter::write() const {
  if (copy_.is_best) save_model(best_, model_, copy_.parameters, copy_.state.best_epoch);
  save_checkpoint(checkpoint_, model_, copy_.parameters, copy_.optimizer, copy_.state);
}

}  // namespace quadgate
