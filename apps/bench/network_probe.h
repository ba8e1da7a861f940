#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "apps/bench/network_model.h"
#include "apps/bench/step_shape.h"
#include "engine/cluster/communicator.h"
#include "engine/cluster/gradient_exchange.h"

namespace quadgate::apps {

/// Measures what exchanges of n weights between these ranks, two or more, take: ping-pongs of small
/// messages and exchanges of large ones, both ways at once and by all ranks at the same time, to
/// the others and in the pieces of the exchange; records; and the adder. The slowest rank counts.
/// Collective.
NetworkSpeed measure_network(cluster::Communicator& ranks, std::size_t n, std::int64_t grad_shards);

/// Measures an exchange of n weights between these ranks, which compute nothing meanwhile, in
/// seconds. The slowest rank counts. Collective.
class ExchangeBenchmark {
 public:
  ExchangeBenchmark(cluster::Communicator& ranks, std::size_t n, std::int64_t grad_shards);

  double seconds();

 private:
  cluster::Communicator& ranks_;
  cluster::GradientExchange exchange_;
  std::vector<float> gradient_;
  std::vector<float> weights_;
};

/// Measures what each of these ranks computes in a step of `shape`, without the others' gradients:
/// all begin at the same time, as they do in a step. About `seconds` of steps. Collective.
Computation measure_computation(cluster::Communicator& ranks, const StepShape& shape, int threads,
                                double seconds);

}  // namespace quadgate::apps
