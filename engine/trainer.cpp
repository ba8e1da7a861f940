#include "engine/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/stopwatch.h"

namespace quadgate {

Trainer::Trainer(Network& network, const OptimizerConfig& config, std::uint64_t seed)
    : network_(network), optimizer_(config, network.parameters().values().size()), seed_(seed) {}

Metrics Trainer::step(const Batch& batch) {
  double norm = 0;
  const DropoutKey dropout{seed_, static_cast<std::uint64_t>(optimizer_.steps())};
  const Metrics metrics = network_.differentiate(batch, dropout, norm);
  if (!std::isfinite(metrics.loss) || !std::isfinite(norm)) {
    throw DataError(
        fmt::format("training diverged: expected a finite loss and gradient, found loss "
                    "{} and gradient norm {}; try a lower lr or clip_norm",
                    metrics.mean_loss(), norm));
  }
  double scale = 1;
  if (const auto clip_norm = optimizer_.config().clip_norm) {
    // torch.nn.utils.clip_grad_norm_
    scale = std::min(1.0, *clip_norm / (norm + 1e-6));
  }
  PhaseTimes updating;
  {
    const Stopwatch stopwatch(updating, Phase::optimizer);
    auto& parameters = network_.parameters();
    optimizer_.step(network_.arena(), parameters.values(), parameters.gradients(),
                    static_cast<float>(scale), parameters.table());
    network_.refresh();
  }
  network_.phase_times()[Phase::optimizer] +=
      updating[Phase::optimizer] * network_.arena().threads();
  return metrics;
}

}  // namespace quadgate
