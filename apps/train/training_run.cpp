#include "apps/train/training_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "apps/common/signals.h"
#include "apps/model/baseline_loss.h"
#include "apps/model/evaluation.h"
#include "engine/base/error.h"
#include "engine/training/sharded_network.h"

namespace quadgate::apps {
namespace {

/// The part of each batch that this rank reads.
RowShare share_of(Trainer& trainer) {
  const ShardedNetwork* const shards = trainer.shards();
  if (shards == nullptr) return {};
  return {shards->first_shard(), shards->last_shard(), shards->grad_shards()};
}

/// Whether this process is the one that writes and speaks.
bool is_first(Trainer& trainer) {
  return trainer.shards() == nullptr || trainer.shards()->rank() == 0;
}

}  // namespace

TrainingRun::TrainingRun(const RunConfig& config, const RunFolder& folder, Dataset& data,
                         Trainer& trainer, TrainingState state, const Monitor* monitor,
                         const TrainingReport::Output& output)
    : config_(config.train),
      data_paths_(config.data_paths()),
      folder_(folder),
      data_(data),
      train_(data.split("train")),
      trainer_(trainer),
      state_(std::move(state)),
      share_(share_of(trainer)),
      schedule_(config_.schedule, config_.optimizer.lr),
      model_{trainer.network().config(), data.description()},
      monitor_(monitor),
      tells_(is_first(trainer) && output.progress),
      report_(is_first(trainer) ? output : TrainingReport::Output{false, false, false},
              {config_.epochs, train_.size(), config_.batch_size}, folder, model_),
      checkpoints_(config_, folder, model_, trainer),
      num_batches_((train_.size() - 1) / config_.batch_size + 1) {
  schedule_.set_state(state_.schedule);
}

bool TrainingRun::run() {
  if (state_.epoch >= config_.epochs || stopped_early()) {
    say_finished();
    return true;
  }
  while (state_.epoch < config_.epochs && !stopped_early()) {
    if (stopping() || !run_epoch()) {
      checkpoints_.save(state_);
      checkpoints_.finish();
      report_.say_last(fmt::format("stopped by a signal in epoch {}; saved {}; go on with --resume",
                                   state_.epoch + 1, folder_.checkpoint().string()));
      return false;
    }
  }
  checkpoints_.finish();
  if (state_.epoch < config_.epochs) {
    report_.say_last(
        fmt::format("stopped early after epoch {}: no better valid {} than {:.4f} in {} epochs",
                    state_.epoch, monitor_ != nullptr ? monitor_->name() : "loss",
                    monitor_ != nullptr ? *state_.best_metric : state_.early_stopping.best,
                    state_.early_stopping.num_bad_epochs));
  }
  if (!tells_) return true;
  report_.say_last(fmt::format("checkpoint: {}{}{}", folder_.checkpoint().string(), best_text(),
                               baseline_text()));
  return true;
}

// False if a stop was requested before the epoch's end.
bool TrainingRun::run_epoch() {
  report_.begin_epoch();
  const std::optional<double> data_wait_seconds = run_batches();
  if (!data_wait_seconds) return false;
  expect_counting(state_.running, "split 'train'");
  TrainingReport::Epoch epoch{.data_wait_seconds = *data_wait_seconds};
  if (data_.has_split("valid")) {
    epoch.valid = validate();
    if (!epoch.valid) return false;
    expect_counting(*epoch.valid, "split 'valid'");
    if (monitor_ != nullptr) {
      epoch.monitored = monitored(*epoch.valid);
      if (!epoch.monitored) return false;
      if (monitor_->is_told_apart()) epoch.monitor = monitor_->name();
    }
  }
  finish_epoch(epoch);
  return true;
}

// The seconds that it waited for data; none if a stop was requested before the last batch.
std::optional<double> TrainingRun::run_batches() {
  using Clock = std::chrono::steady_clock;
  if (state_.batch == 0) trainer_.reset_states();
  std::optional<Shuffle> shuffle;
  if (config_.shuffle.value_or(true)) {
    shuffle = {state_.seed, static_cast<std::uint32_t>(state_.epoch),
               config_.shuffle_buffer.value_or(0), config_.bucket_by_length};
  }
  Loader loader(train_, config_.batch_size, shuffle, state_.batch, share_);
  auto start = Clock::now();
  for (Batch batch; loader.next(batch);) {
    // A checkpoint has no room for gradients that wait for an update.
    if (stopping() && trainer_.waiting() == 0) return {};
    step(batch);
    const auto now = Clock::now();
    const std::chrono::duration<double> seconds = now - std::exchange(start, now);
    report_.add_batch(std::max(batch.rows(), batch.whole_rows), seconds.count(), state_);
    // The end of the epoch saves.
    if (state_.batch < num_batches_ && checkpoints_.due(state_)) checkpoints_.save(state_);
  }
  return loader.waited_seconds();
}

// The metrics of the valid split; none if a stop was requested before its last batch.
std::optional<Metrics> TrainingRun::validate() {
  trainer_.reset_states();
  Loader loader(data_.split("valid"), config_.batch_size, {}, 0, share_);
  Metrics metrics;
  for (Batch batch; loader.next(batch);) {
    if (stopping()) return {};
    tell_ranks();
    metrics += trainer_.evaluate(batch);
  }
  return metrics;
}

// What the monitor tells of the valid split; none if a stop was requested before its last batch.
// The first rank makes a pass of its own, and the others wait.
std::optional<double> TrainingRun::monitored(const Metrics& valid) {
  if (!monitor_->needs_pass()) return monitor_->of(valid);
  const ShardedNetwork* const shards = trainer_.shards();
  const std::int64_t rows =
      shards == nullptr ? config_.batch_size
                        : ShardedNetwork::shard_rows(config_.batch_size, shards->grad_shards());
  std::optional<double> value;
  if (shards == nullptr || shards->rank() == 0) value = monitor_->measure(trainer_.network(), rows);
  if (shards == nullptr) return value;
  const double shared = trainer_.shards()->of_first(value.value_or(std::nan("")));
  return std::isnan(shared) ? std::nullopt : std::optional(shared);
}

// All ranks stop and save after the same pass.
void TrainingRun::tell_ranks() {
  if (trainer_.shards() == nullptr) return;
  trainer_.shards()->set_flags((stop_requested() ? kStop : 0) |
                               (checkpoints_.is_late() ? kSave : 0));
}

bool TrainingRun::stopping() const {
  ShardedNetwork* const shards = trainer_.shards();
  return shards == nullptr ? stop_requested() : (shards->flags() & kStop) != 0;
}

void TrainingRun::step(const Batch& batch) {
  trainer_.optimizer().set_lr(schedule_.lr(state_.epoch, state_.step));
  tell_ranks();
  try {
    state_.running += trainer_.step(batch);
  } catch (const DataError& error) {
    throw DataError(
        fmt::format("epoch {}, step {}: {}", state_.epoch + 1, state_.step + 1, error.what()));
  }
  ++state_.batch;
  if (state_.batch == num_batches_) trainer_.finish_update();
  state_.step = trainer_.optimizer().steps();
}

void TrainingRun::finish_epoch(TrainingReport::Epoch epoch) {
  const bool is_best =
      epoch.valid && (epoch.monitored ? CheckpointPolicy::improves(*epoch.valid, *monitor_,
                                                                   *epoch.monitored, state_)
                                      : checkpoints_.improves(*epoch.valid, state_));
  epoch.lr = schedule_.lr(state_.epoch, state_.step - 1);
  epoch.checkpoint_seconds = checkpoints_.take_seconds();
  ++state_.epoch;
  state_.last_metrics = report_.metrics_line(epoch, state_);
  if (epoch.valid) {
    schedule_.finish_epoch(epoch.valid->mean_loss());
    state_.schedule = schedule_.state();
    state_.early_stopping.add(
        epoch.monitored ? monitor_->badness(*epoch.monitored) : epoch.valid->mean_loss(), 0);
  }
  const Metrics train = std::exchange(state_.running, {});
  state_.batch = 0;
  // The checkpoint knows the line. Resuming writes it if it does not get to metrics.jsonl, and
  // takes it out again if it gets there before a checkpoint that does not.
  checkpoints_.save(state_, is_best);
  report_.finish_epoch(state_, train, epoch);
}

// There is nothing to resume.
void TrainingRun::say_finished() {
  const std::string folder = folder_.path().string();
  report_.say_last(
      state_.epoch >= config_.epochs
          ? fmt::format(
                "{}: the run is finished, {} of {} epochs are done{}; to train on: --resume "
                "--set train.epochs={} or more",
                folder, state_.epoch, config_.epochs, best_text(), state_.epoch + 1)
          : fmt::format("{}: the run is finished, stopped early after epoch {}{}; to train on: "
                        "--resume --set train.early_stopping_patience={} or more",
                        folder, state_.epoch, best_text(),
                        state_.early_stopping.num_bad_epochs + 1));
}

// What the end of a run tells of best.h5, if there is one and its epoch is known.
std::string TrainingRun::best_text() const {
  return state_.best_epoch ? fmt::format("; best.h5 is of epoch {}", *state_.best_epoch) : "";
}

// What the end of a run tells of a forecast that a baseline is better than.
std::string TrainingRun::baseline_text() const {
  const LossKind loss = model_.config.loss.kind_for(model_.config.task);
  const bool is_of_points =
      loss == LossKind::mse || loss == LossKind::mae || loss == LossKind::huber;
  if (!state_.best_loss || !data_.is_forecast() || !is_of_points) return "";
  const BaselineLoss baseline = best_baseline(model_.config, data_paths_, data_, "valid");
  if (*state_.best_loss <= baseline.loss) return "";
  return fmt::format(", worse than its baseline: a valid loss of {:.4f}, but {:.4f} by {}",
                     *state_.best_loss, baseline.loss, baseline.text);
}

bool TrainingRun::stopped_early() const {
  const auto patience = config_.early_stopping_patience;
  return patience && state_.early_stopping.num_bad_epochs >= *patience;
}

}  // namespace quadgate::apps
