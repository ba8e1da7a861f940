#include "apps/train/checkpoint_policy.h"

#include <utility>

namespace quadgate::apps {

CheckpointPolicy::CheckpointPolicy(const RunConfig::Train& config, const RunFolder& folder,
                                   const ModelDescription& model, Trainer& trainer)
    : every_steps_(config.checkpoint_every_steps),
      best_by_loss_(model.config.task == Task::regression || model.data.streams.has_value()),
      trainer_(trainer),
      writer_(folder.checkpoint(), folder.best(), model, trainer.network().parameters(),
              trainer.optimizer()) {
  using Minutes = std::chrono::duration<double, std::ratio<60>>;
  if (config.checkpoint_every_minutes) every_seconds_ = Minutes(*config.checkpoint_every_minutes);
}

bool CheckpointPolicy::improves(const Metrics& valid, TrainingState& state) const {
  const double metric = best_by_loss_ ? valid.mean_loss() : valid.accuracy();
  if (state.best_metric &&
      !(best_by_loss_ ? metric < *state.best_metric : metric > *state.best_metric)) {
    return false;
  }
  state.best_metric = metric;
  return true;
}

bool CheckpointPolicy::due(const TrainingState& state) {
  // A checkpoint has no room for gradients that wait for an update.
  if (trainer_.waiting() > 0) return false;
  put_off_ = put_off_ || (every_steps_ && state.step % *every_steps_ == 0) ||
             (every_seconds_ && Clock::now() - last_save_ >= *every_seconds_);
  return put_off_ && !writer_.busy();
}

void CheckpointPolicy::save(TrainingState& state, bool is_best) {
  const auto start = Clock::now();
  if (const RecurrentStates* const states = trainer_.network().carried_states()) {
    state.carried = *states;
  }
  writer_.save(trainer_.network().parameters(), trainer_.optimizer(), state, is_best);
  put_off_ = false;
  last_save_ = Clock::now();
  seconds_ += std::chrono::duration<double>(last_save_ - start).count();
}

double CheckpointPolicy::take_seconds() { return std::exchange(seconds_, 0); }

}  // namespace quadgate::apps
