#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/cluster/exchange_plan.h"
#include "engine/model/config.h"

namespace quadgate::apps {

/// Messages that a rank has under way at once, to and from the same others.
struct Hop {
  double messages = 0;
  double bytes = 0;  ///< of the rank that sends most, in all messages
};

/// What an exchange of gradients and weights sends, one hop after the other: the halvings, and
/// then, where there is one, that among all members of a group.
struct ExchangeWork {
  std::vector<Hop> reduce_halvings;
  Hop reduce_group;
  std::vector<Hop> gather_halvings;
  Hop gather_group;
  std::size_t buckets = 1;
};

/// That of the exchange of arrays of n floats over grad_shards shards, cut at whole blocks.
ExchangeWork exchange_work(std::size_t n, int ranks, std::int64_t grad_shards,
                           std::size_t block = cluster::ExchangePlan::kBlock);

/// How long messages take that go both ways at once: latency + (messages - others) * message +
/// bytes / bandwidth.
struct Link {
  double others = 1;
  double latency = 0;    ///< s, of one small message to and from each of the others
  double message = 0;    ///< s, of each further one
  double bandwidth = 0;  ///< bytes/s, sent and received at once; 0: of no bytes

  double seconds(const Hop& hop) const noexcept;
};

/// What a network of ranks takes.
struct NetworkSpeed {
  /// Between ranks 1, 2, 4, ... apart. Those further apart have the last one.
  std::vector<Link> halvings;
  Link group;        ///< to all others at once, where the ranks are no power of two
  double adder = 0;  ///< s a byte of gradients that is received
  double call = 0;   ///< s of a collective call, beside its messages

  const Link& halving(std::size_t step) const noexcept;
};

/// What the ranks of a step compute, in seconds: medians over steps.
struct Computation {
  double seconds = 0;  ///< of a rank, if it updated all weights
  double slowest = 0;  ///< of the slowest rank
  double sigma = 0;    ///< standard deviation of a rank's steps, as a part of them
  double update = 0;   ///< of the weights; each rank spares what others update
  double window = 0;   ///< in which gradients become right one after the other; 0: at once
  double forward = 0;  ///< of the next step, in which weights come one after the other
};

/// The parts of all weights that a pass waits for before the input product and the recurrence of
/// each layer, and before the head.
std::vector<double> weights_of_layers(const ModelConfig& config);

/// A step of several ranks, part by part, in seconds:
///
///     step = computation + wait + reduce_scatter - hidden + records + all_gather - gather_hidden
///
/// A bucket is sent as soon as it is computed, so that of K buckets all but the last one hide:
/// hidden = (1 - 1 / K) min(reduce_scatter, window). Each part of the next step waits for the
/// buckets that it reads, which come in order in the last hop: gather_hidden is what the parts in
/// front compute meanwhile.
struct StepPrediction {
  double computation = 0;
  double wait = 0;  ///< for the slowest rank
  double reduce_scatter = 0;
  double hidden = 0;
  double records = 0;  ///< loss and norm
  double all_gather = 0;
  double gather_hidden = 0;

  double exchange() const noexcept { return reduce_scatter + records + all_gather; }
  double step() const noexcept { return computation + wait + exchange() - all_hidden(); }
  double all_hidden() const noexcept { return hidden + gather_hidden; }
};

/// `layers` are those of weights_of_layers(), none if a pass waits for all weights at once.
StepPrediction predict_step(const NetworkSpeed& network, const ExchangeWork& work, int ranks,
                            const Computation& computation, std::span<const double> layers = {});

/// What many ranks compute, by one of them: the slowest of R takes longer by sigma sqrt(2 ln R).
Computation of_many(Computation one, int ranks) noexcept;

}  // namespace quadgate::apps
