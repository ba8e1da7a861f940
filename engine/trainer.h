#pragma once

#include <cstdint>

#include "engine/batch.h"
#include "engine/network.h"
#include "engine/optimizer.h"

namespace quadgate {

/// Gradient descent on a network: one optimizer update a batch.
class Trainer {
 public:
  /// `network` must outlive the trainer. `seed` keys the dropout masks, together with the step.
  /// Throws InvalidArgument (see validate).
  Trainer(Network& network, const OptimizerConfig& config, std::uint64_t seed);

  Network& network() noexcept { return network_; }
  Optimizer& optimizer() noexcept { return optimizer_; }
  const Optimizer& optimizer() const noexcept { return optimizer_; }

  /// Forward, backward, clip by global norm, update; the metrics are those before the update.
  /// Throws DataError, with the weights as they were, if the loss or a gradient is not finite;
  /// else like Network::evaluate. In steady state it allocates nothing.
  Metrics step(const Batch& batch);

 private:
  Network& network_;
  Optimizer optimizer_;
  std::uint64_t seed_;
};

}  // namespace quadgate
