#include "apps/train/training_run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/common/signals.h"
#include "apps/model/evaluation.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// The metric beside the loss that a progress line shows.
std::string metrics_text(const ModelDescription& model, const Metrics& metrics) {
  if (model.data.streams) {
    return fmt::format("loss {:.4f}  perplexity {:.2f}", metrics.mean_loss(),
                       std::exp(metrics.mean_loss()));
  }
  return model.config.task == Task::regression
             ? fmt::format("loss {:.4f}  mae {:.4f}", metrics.mean_loss(),
                           metrics.mean_absolute_error())
             : fmt::format("loss {:.4f}  accuracy {:.2f} %", metrics.mean_loss(),
                           100 * metrics.accuracy());
}

}  // namespace

TrainingRun::TrainingRun(const RunConfig& config, const RunFolder& folder, Dataset& data,
                         Trainer& trainer, TrainingState state, const Output& output)
    : config_(config),
      folder_(folder),
      data_(data),
      train_(data.split("train")),
      trainer_(trainer),
      state_(std::move(state)),
      schedule_(config.train.schedule, config.train.optimizer.lr),
      output_(output),
      description_{trainer.network().config(), data.description()},
      writer_(folder.checkpoint(), folder.best(), description_, trainer.network().parameters(),
              trainer.optimizer()),
      num_batches_((train_.size() + config.train.batch_size - 1) / config.train.batch_size),
      last_save_(Clock::now()) {
  schedule_.set_state(state_.schedule);
  if (output_.progress) {
    progress_.emplace(stderr, isatty(STDERR_FILENO) == 1, Clock::now());
  }
}

bool TrainingRun::run() {
  while (state_.epoch < config_.train.epochs && !stopped_early()) {
    if (stop_requested() || !run_epoch()) {
      save();
      writer_.finish();
      progress_.reset();  // ends its line
      say(fmt::format("stopped by a signal in epoch {}; saved {}; go on with --resume",
                      state_.epoch + 1, folder_.checkpoint().string()));
      return false;
    }
  }
  writer_.finish();
  if (state_.epoch < config_.train.epochs) {
    say(fmt::format("stopped early after epoch {}: no better valid loss than {:.4f} in {} epochs",
                    state_.epoch, state_.early_stopping.best,
                    state_.early_stopping.num_bad_epochs));
  }
  say(fmt::format("checkpoint: {}", folder_.checkpoint().string()));
  return true;
}

/// False if a stop was requested before the epoch's end.
bool TrainingRun::run_epoch() {
  epoch_seconds_ = 0;
  epoch_sequences_ = 0;
  if (!run_batches()) {
    return false;
  }
  std::optional<Metrics> valid;
  if (data_.has_split("valid")) {
    valid = evaluate_split(trainer_.network(), data_.split("valid"), config_.train.batch_size,
                           stop_requested);
    if (!valid) {
      return false;
    }
  }
  finish_epoch(valid);
  return true;
}

bool TrainingRun::run_batches() {
  if (state_.batch == 0) {
    reset_carried_states(trainer_.network());
  }
  std::optional<Shuffle> shuffle;
  if (config_.train.shuffle.value_or(true)) {
    shuffle = {state_.seed, static_cast<std::uint32_t>(state_.epoch),
               config_.train.shuffle_buffer.value_or(0), config_.train.bucket_by_length};
  }
  Loader loader(train_, config_.train.batch_size, shuffle, state_.batch);
  auto start = Clock::now();
  for (Batch batch; loader.next(batch);) {
    // A checkpoint has no room for gradients that wait for an update.
    if (stop_requested() && trainer_.waiting() == 0) {
      return false;
    }
    step(batch);
    epoch_sequences_ += batch.rows();
    const auto now = Clock::now();
    epoch_seconds_ += std::chrono::duration<double>(now - std::exchange(start, now)).count();
    show_progress();
    if (checkpoint_is_due()) {
      save();
    }
  }
  data_wait_seconds_ = loader.waited_seconds();
  return true;
}

void TrainingRun::step(const Batch& batch) {
  trainer_.optimizer().set_lr(schedule_.lr(state_.epoch, state_.step));
  try {
    state_.running += trainer_.step(batch);
  } catch (const DataError& error) {
    throw DataError(
        fmt::format("epoch {}, step {}: {}", state_.epoch + 1, state_.step + 1, error.what()));
  }
  ++state_.batch;
  if (state_.batch == num_batches_) {
    trainer_.finish_update();
  }
  state_.step = trainer_.optimizer().steps();
}

bool TrainingRun::stopped_early() const {
  const auto patience = config_.train.early_stopping_patience;
  return patience && state_.early_stopping.num_bad_epochs >= *patience;
}

void TrainingRun::finish_epoch(const std::optional<Metrics>& valid) {
  const bool is_best = valid && improves(*valid);
  const double lr = schedule_.lr(state_.epoch, state_.step - 1);
  ++state_.epoch;
  state_.last_metrics = metrics_line(valid, lr);
  checkpoint_seconds_ = 0;
  if (valid) {
    schedule_.finish_epoch(valid->mean_loss());
    state_.schedule = schedule_.state();
    state_.early_stopping.add(valid->mean_loss(), 0);
  }
  const Metrics metrics = std::exchange(state_.running, {});
  state_.batch = 0;
  // The checkpoint knows the line. Resuming writes it if it does not get to the file below, and
  // takes it out again if it gets there before a checkpoint that does not.
  save(is_best);
  folder_.append_metrics(state_.last_metrics);
  if (progress_) {
    progress_->finish(fmt::format("epoch {}/{}  {}{}  {:.0f} seq/s", state_.epoch,
                                  config_.train.epochs, metrics_text(description_, metrics),
                                  valid ? "  valid " + metrics_text(description_, *valid) : "",
                                  sequences_per_second()),
                      Clock::now());
  }
  if (output_.json) {
    fmt::print("{}\n", state_.last_metrics);
    std::fflush(stdout);
  }
}

std::string TrainingRun::metrics_line(const std::optional<Metrics>& valid, double lr) const {
  nlohmann::ordered_json record;
  record["epoch"] = state_.epoch;
  record["step"] = state_.step;
  for (const auto& [name, value] : named_metrics(description_, state_.running)) {
    record["train_" + name] = value;
  }
  if (valid) {
    for (const auto& [name, value] : named_metrics(description_, *valid)) {
      record["valid_" + name] = value;
    }
  }
  record["seconds"] = epoch_seconds_;
  record["data_wait_seconds"] = data_wait_seconds_;
  record["sequences_per_second"] = sequences_per_second();
  record["checkpoint_seconds"] = checkpoint_seconds_;
  record["lr"] = lr;
  return record.dump();
}

/// Whether the valid metric is the best so far, which is remembered: accuracy, or the loss of a
/// regression or language model.
bool TrainingRun::improves(const Metrics& valid) {
  const bool by_loss =
      description_.config.task == Task::regression || description_.data.streams.has_value();
  const double metric = by_loss ? valid.mean_loss() : valid.accuracy();
  if (state_.best_metric &&
      !(by_loss ? metric < *state_.best_metric : metric > *state_.best_metric)) {
    return false;
  }
  state_.best_metric = metric;
  return true;
}

/// One that comes due while another is being written is put off until that is done.
bool TrainingRun::checkpoint_is_due() {
  if (state_.batch == num_batches_ || trainer_.waiting() > 0) {
    return false;  // the end of the epoch saves; gradients that wait for an update cannot be saved
  }
  const auto steps = config_.train.checkpoint_every_steps;
  const auto minutes = config_.train.checkpoint_every_minutes;
  put_off_ = put_off_ || (steps && state_.step % *steps == 0) ||
             (minutes &&
              Clock::now() - last_save_ >= std::chrono::duration<double, std::ratio<60>>(*minutes));
  return put_off_ && !writer_.busy();
}

void TrainingRun::save(bool is_best) {
  const auto start = Clock::now();
  if (const RecurrentStates* const states = trainer_.network().carried_states()) {
    state_.carried = *states;
  }
  writer_.save(trainer_.network().parameters(), trainer_.optimizer(), state_, is_best);
  put_off_ = false;
  last_save_ = Clock::now();
  checkpoint_seconds_ += std::chrono::duration<double>(last_save_ - start).count();
}

void TrainingRun::say(const std::string& line) const {
  if (output_.progress) {
    std::fputs((line + "\n").c_str(), stderr);
  }
}

void TrainingRun::show_progress() {
  const auto now = Clock::now();
  if (progress_ && progress_->due(now)) {
    progress_->update(progress_text(), now);
  }
}

std::string TrainingRun::progress_text() const {
  const std::int64_t epochs_left = config_.train.epochs - state_.epoch;
  const std::int64_t done = std::min(state_.batch * config_.train.batch_size, train_.size());
  const auto left = static_cast<double>(epochs_left * train_.size() - done);
  return fmt::format("epoch {}/{}  step {}/{}  {}  {:.0f} seq/s  {} left", state_.epoch + 1,
                     config_.train.epochs, state_.batch, num_batches_,
                     metrics_text(description_, state_.running), sequences_per_second(),
                     duration_text(left / sequences_per_second()));
}

double TrainingRun::sequences_per_second() const {
  constexpr double kShortest = 1e-9;
  return static_cast<double>(epoch_sequences_) / std::max(epoch_seconds_, kShortest);
}

}  // namespace quadgate::apps
