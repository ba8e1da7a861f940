#include "engine/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "engine/base/nan.h"
#include "engine/base/stopwatch.h"
#include "engine/training/gradient_accumulator.h"
#include "engine/training/sharded_network.h"

namespace quadgate {
namespace {

/// Runs `body` in the optimizer's phase. All cores take part in it.
template <typename Body>
void as_optimizer(Network& network, Body body) {
  PhaseTimes wall;
  {
    const Stopwatch stopwatch(wall, Phase::optimizer);
    body();
  }
  network.phase_times()[Phase::optimizer] += wall[Phase::optimizer] * network.arena().threads();
}

void expect_finite(const Metrics& metrics, double norm) {
  if (!std::isfinite(metrics.loss) || !std::isfinite(norm)) {
    throw DataError(
        fmt::format("training diverged: expected a finite loss and gradient, found loss "
                    "{} and gradient norm {}; try a lower lr or clip_norm",
                    without_nan_sign(metrics.mean_loss()), without_nan_sign(norm)));
  }
}

}  // namespace

Trainer::Trainer(Network& network, const OptimizerConfig& config, std::uint64_t seed,
                 ShardedNetwork* shards)
    : network_(network),
      shards_(shards),
      optimizer_(shards == nullptr ? Optimizer(config, network.parameters().values().size())
                                   : Optimizer(config, shards->owned())),
      seed_(seed) {
  if (config.accumulate_steps > 1) {
    sum_ = std::make_unique<GradientAccumulator>(network.parameters().values().size());
  }
}

Trainer::~Trainer() = default;

std::int64_t Trainer::waiting() const noexcept { return sum_ ? sum_->count() : 0; }

Metrics Trainer::step(const Batch& batch) {
  const auto steps = static_cast<std::uint64_t>(optimizer_.config().accumulate_steps);
  const auto waited = static_cast<std::uint64_t>(waiting());
  const std::uint64_t number = static_cast<std::uint64_t>(optimizer_.steps()) * steps + waited;
  const auto [metrics, gradient] = differentiate(batch, {seed_, number});
  expect_finite(metrics, gradient.norm);
  if (!sum_) {
    update(gradient, 1);
    return metrics;
  }
  as_optimizer(network_, [&, &added = gradient] { sum_->add(network_.arena(), added); });
  const double norm = sum().norm;
  if (!std::isfinite(norm)) sum_->clear();
  expect_finite(metrics, norm);
  if (waited + 1 == steps) finish_update();
  return metrics;
}

void Trainer::finish_update() {
  if (waiting() == 0) return;
  const double scale = 1.0 / static_cast<double>(optimizer_.config().accumulate_steps);
  update(sum(), scale);
  sum_->clear();
}

Metrics Trainer::evaluate(const Batch& batch) {
  return shards_ == nullptr ? network_.evaluate(batch) : shards_->evaluate(batch);
}

void Trainer::reset_states() {
  shards_ == nullptr ? network_.reset_states() : shards_->reset_states();
}

RecurrentStates Trainer::carried() {
  if (shards_ != nullptr) return shards_->gather_states();
  const RecurrentStates* const states = network_.carried_states();
  return states == nullptr ? RecurrentStates{} : *states;
}

void Trainer::copy_optimizer(Optimizer* to) {
  shards_ == nullptr ? to->copy_state(optimizer_) : shards_->gather(optimizer_, to);
}

void Trainer::set_carried(const RecurrentStates& states) {
  shards_ == nullptr ? static_cast<void>(*network_.carried_states() = states)
                     : shards_->set_states(states);
}

Derivative Trainer::differentiate(const Batch& batch, const DropoutKey& dropout) {
  return shards_ == nullptr ? network_.differentiate(batch, dropout)
                            : shards_->differentiate(batch, dropout);
}

/// The gradients that wait.
Gradient Trainer::sum() {
  Gradient sum = sum_->sum();
  if (shards_ != nullptr) sum.norm = shards_->norm(sum.values);
  return sum;
}

/// One update from `gradient * scale`, clipped.
void Trainer::update(const Gradient& gradient, double scale) {
  const double norm = scale * gradient.norm;
  scale *= gradient.scale;
  if (const auto clip_norm = optimizer_.config().clip_norm) {
    // torch.nn.utils.clip_grad_norm_
    scale *= std::min(1.0, *clip_norm / (norm + 1e-6));
  }
  as_optimizer(network_, [&] {
    const auto its_scale = static_cast<float>(scale);
    shards_ == nullptr ? network_.update(optimizer_, gradient, its_scale)
                       : shards_->update(optimizer_, gradient, its_scale);
  });
}

}  // namespace quadgate
