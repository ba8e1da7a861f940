#include "apps/train/checkpoint_policy.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "engine/base/error.h"
#include "engine/training/sharded_network.h"
#include "io/files/finite.h"

namespace quadgate::apps {
namespace {

/// A model that no program could read again does not take the place of one.
void expect_finite(const Parameters& parameters, const TrainingState& state) {
  if (find_not_finite(parameters.values()) < 0) return;
  throw DataError(
      fmt::format("epoch {}, step {}: training diverged: expected finite weights, found "
                  "others; try a lower lr or clip_norm",
                  state.epoch + 1, state.step));
}

/// Whether `metric` is the best so far, of which less badness(metric) is better, then the loss.
template <typename Badness>
bool keep_best(const Metrics& valid, double metric, Badness badness, TrainingState& state) {
  const double loss = valid.mean_loss();
  if (state.best_metric) {
    const double difference = badness(metric) - badness(*state.best_metric);
    const bool wins_tie = difference == 0 && state.best_loss && loss < *state.best_loss;
    if (!(difference < 0) && !wins_tie) return false;
  }
  state.best_metric = metric;
  state.best_loss = loss;
  state.best_epoch = state.epoch + 1;
  return true;
}

}  // namespace

CheckpointPolicy::CheckpointPolicy(const RunConfig::Train& config, const RunFolder& folder,
                                   const ModelDescription& model, Trainer& trainer)
    : every_steps_(config.checkpoint_every_steps),
      best_by_loss_(model.config.task == Task::regression || model.data.streams.has_value()),
      trainer_(trainer) {
  if (trainer.shards() == nullptr || trainer.shards()->rank() == 0) {
    writer_.emplace(folder.checkpoint(), folder.best(), model, trainer.network().parameters(),
                    trainer.optimizer().config());
  }
  using Minutes = std::chrono::duration<double, std::ratio<60>>;
  if (config.checkpoint_every_minutes) every_seconds_ = Minutes(*config.checkpoint_every_minutes);
}

bool CheckpointPolicy::improves(const Metrics& valid, TrainingState& state) const {
  return best_by_loss_ ? keep_best(valid, valid.mean_loss(), std::identity(), state)
                       : keep_best(valid, valid.accuracy(), std::negate(), state);
}

bool CheckpointPolicy::improves(const Metrics& valid, const Monitor& monitor, double value,
                                TrainingState& state) {
  return keep_best(
      valid, value, [&](double its) { return monitor.badness(its); }, state);
}

bool CheckpointPolicy::due(const TrainingState& state) {
  // A checkpoint has no room for gradients that wait for an update.
  if (trainer_.waiting() > 0) return false;
  const bool is_due = every_steps_ && state.step % *every_steps_ == 0;
  // Where all ranks save at once, none waits for what the first one finds.
  if (ShardedNetwork* const shards = trainer_.shards()) {
    return is_due || (shards->flags() & kSave) != 0;
  }
  put_off_ = put_off_ || is_due || is_late();
  return put_off_ && !writer_->busy();
}

bool CheckpointPolicy::is_late() const {
  return every_seconds_ && Clock::now() - last_save_ >= *every_seconds_;
}

void CheckpointPolicy::save(TrainingState& state, bool is_best) {
  const auto start = Clock::now();
  expect_finite(trainer_.network().parameters(), state);
  state.carried = trainer_.carried();
  const auto copy = [&](Optimizer* to) { trainer_.copy_optimizer(to); };
  writer_ ? writer_->save(trainer_.network().parameters(), copy, state, is_best) : copy(nullptr);
  put_off_ = false;
  last_save_ = Clock::now();
  seconds_ += std::chrono::duration<double>(last_save_ - start).count();
}

double CheckpointPolicy::take_seconds() { return std::exchange(seconds_, 0); }

}  // namespace quadgate::apps
