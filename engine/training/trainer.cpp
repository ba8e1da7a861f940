#include "engine/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/base/error.h"
#include "engine/base/stopwatch.h"
#include "engine/training/gradient_accumulator.h"

namespace quadgate {
namespace {

/// Runs `body`, in which all cores take part, as a part of the optimizer's phase.
template <typename Body>
void as_optimizer(Network& network, Body body) {
  PhaseTimes wall;
  {
    const Stopwatch stopwatch(wall, Phase::optimizer);
    body();
  }
  network.phase_times()[Phase::optimizer] += wall[Phase::optimizer] * network.arena().threads();
}

void expect_finite(double loss, double mean_loss, double norm) {
  if (!std::isfinite(loss) || !std::isfinite(norm)) {
    throw DataError(
        fmt::format("training diverged: expected a finite loss and gradient, found loss "
                    "{} and gradient norm {}; try a lower lr or clip_norm",
                    mean_loss, norm));
  }
}

}  // namespace

Trainer::Trainer(Network& network, const OptimizerConfig& config, std::uint64_t seed)
    : network_(network), optimizer_(config, network.parameters().values().size()), seed_(seed) {
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
  double norm = 0;
  const Metrics metrics = network_.differentiate(batch, {seed_, number}, norm);
  expect_finite(metrics.loss, metrics.mean_loss(), norm);
  const auto gradients = network_.parameters().gradients();
  if (!sum_) {
    update(gradients, network_.parameters().table(), norm, 1);
    return metrics;
  }
  as_optimizer(network_,
               [&] { sum_->add(network_.arena(), gradients, network_.parameters().table()); });
  if (!std::isfinite(sum_->norm())) sum_->clear();
  expect_finite(metrics.loss, metrics.mean_loss(), sum_->norm());
  if (waited + 1 == steps) finish_update();
  return metrics;
}

void Trainer::finish_update() {
  if (waiting() == 0) return;
  const double scale = 1.0 / static_cast<double>(optimizer_.config().accumulate_steps);
  update(sum_->sum(), sum_->table(), scale * sum_->norm(), scale);
  sum_->clear();
}

/// One update from `gradients * scale`, whose norm is `norm`, clipped.
void Trainer::update(std::span<const float> gradients, const SparseRows& table, double norm,
                     double scale) {
  if (const auto clip_norm = optimizer_.config().clip_norm) {
    // torch.nn.utils.clip_grad_norm_
    scale *= std::min(1.0, *clip_norm / (norm + 1e-6));
  }
  as_optimizer(network_, [&] {
    optimizer_.step(network_.arena(), network_.parameters().values(), gradients,
                    static_cast<float>(scale), table);
    network_.refresh();
  });
}

}  // namespace quadgate
