#include "apps/bench/network_model.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "engine/cluster/reduce_scatter.h"
#include "engine/cluster/sum_tree.h"
#include "engine/model/parameters.h"

namespace quadgate::apps {
namespace {

using cluster::ExchangePlan;

/// Of one rank.
class HopCount {
 public:
  void add(const FlatRange& range, std::size_t parts = 1) {
    if (range.size == 0) return;
    hop_.messages += 1;
    hop_.bytes += static_cast<double>(range.size * parts * sizeof(float));
  }
  const Hop& hop() const noexcept { return hop_; }

 private:
  Hop hop_;
};

void take_most(Hop& most, const HopCount& count) {
  most.messages = std::max(most.messages, count.hop().messages);
  most.bytes = std::max(most.bytes, count.hop().bytes);
}

/// How many subtrees of the sum each rank has, or none if each has one and all are alike.
std::vector<std::size_t> parts_of_ranks(int ranks, std::int64_t shards) {
  std::vector<std::size_t> parts;
  bool alike = true;
  int level = 0;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto [first, last] = cluster::shards_of(rank, ranks, shards);
    const auto nodes = cluster::subtrees(first, last, shards);
    if (rank == 0) level = nodes[0].level;
    alike = alike && nodes.size() == 1 && nodes[0].level == level;
    parts.push_back(nodes.size());
  }
  return alike ? std::vector<std::size_t>{} : parts;
}

HopCount halving(const ExchangePlan& plan, int rank, int step) {
  HopCount count;
  for (std::size_t bucket = 0; bucket < plan.buckets(); ++bucket) {
    count.add(plan.half(bucket, rank, step + 1));
  }
  return count;
}

/// Slices of `parts` arrays to each of a rank's group.
HopCount to_group(const ExchangePlan& plan, int rank, bool own, bool to_all, std::size_t parts) {
  HopCount count;
  const int members = to_all ? plan.world_size() : plan.group_size();
  for (int index = 0; index < members; ++index) {
    const int other = to_all ? index : plan.member(rank, index);
    if (other == rank) continue;
    for (std::size_t bucket = 0; bucket < plan.buckets(); ++bucket) {
      count.add(plan.owned(bucket, own ? rank : other), parts);
    }
  }
  return count;
}

/// What layers of the next step compute while the weights of those behind them come. Of an
/// all-gather of `seconds` each bucket is there when its part of the `last` hop is over.
double hidden_gather(double seconds, double last, double buckets, double forward,
                     std::span<const double> layers) {
  if (layers.empty()) return 0;
  double now = 0;
  double wanted = 0;
  for (const double part : layers) {
    wanted += part;
    const double come = std::min(1.0, std::ceil(wanted * buckets - 1e-9) / buckets);
    now = std::max(now, seconds - last * (1 - come)) + forward * part;
  }
  return seconds + forward - now;
}

}  // namespace

ExchangeWork exchange_work(std::size_t n, int ranks, std::int64_t grad_shards, std::size_t block) {
  const ExchangePlan plan(n, ranks, block);
  const std::vector<std::size_t> parts = parts_of_ranks(ranks, grad_shards);
  const auto steps = static_cast<std::size_t>(plan.halvings());
  ExchangeWork work;
  work.buckets = plan.buckets();
  work.gather_halvings.resize(steps);
  for (int rank = 0; rank < ranks; ++rank) {
    for (std::size_t step = 0; step < steps; ++step) {
      take_most(work.gather_halvings[step], halving(plan, rank, static_cast<int>(step)));
    }
    take_most(work.gather_group, to_group(plan, rank, true, false, 1));
    const bool direct = !parts.empty();
    take_most(work.reduce_group, to_group(plan, rank, false, direct,
                                          direct ? parts[static_cast<std::size_t>(rank)] : 1));
  }
  if (parts.empty()) work.reduce_halvings = work.gather_halvings;
  return work;
}

double Link::seconds(const Hop& hop) const noexcept {
  if (hop.bytes == 0) return 0;
  return latency + std::max(0.0, hop.messages - others) * message +
         (bandwidth > 0 ? hop.bytes / bandwidth : 0);
}

const Link& NetworkSpeed::halving(std::size_t step) const noexcept {
  return halvings.empty() ? group : halvings[std::min(step, halvings.size() - 1)];
}

StepPrediction predict_step(const NetworkSpeed& network, const ExchangeWork& work, int ranks,
                            const Computation& computation, std::span<const double> layers) {
  const Link& group = network.group.latency > 0 ? network.group : network.halving(0);
  const auto sum = [&](const std::vector<Hop>& halvings, const Hop& to_group, double adder) {
    double seconds = network.call + group.seconds(to_group) + adder * to_group.bytes;
    for (std::size_t step = 0; step < halvings.size(); ++step) {
      seconds += network.halving(step).seconds(halvings[step]) + adder * halvings[step].bytes;
    }
    return seconds;
  };
  double record = network.call;
  const auto messages = static_cast<std::size_t>(std::bit_width(static_cast<unsigned>(ranks - 1)));
  for (std::size_t step = 0; step < messages; ++step) record += network.halving(step).latency;

  StepPrediction step;
  step.computation = computation.seconds - computation.update * (1 - 1.0 / ranks);
  step.wait = computation.slowest - computation.seconds;
  if (ranks == 1) return step;
  step.reduce_scatter = sum(work.reduce_halvings, work.reduce_group, network.adder);
  step.all_gather = sum(work.gather_halvings, work.gather_group, 0);
  step.records = record;
  const auto buckets = static_cast<double>(work.buckets);
  step.hidden = (1 - 1 / buckets) * std::min(step.reduce_scatter, computation.window);
  const double last = work.gather_halvings.empty()
                          ? group.seconds(work.gather_group)
                          : network.halving(0).seconds(work.gather_halvings[0]);
  step.gather_hidden = hidden_gather(step.all_gather, last, buckets, computation.forward, layers);
  return step;
}

std::vector<double> weights_of_layers(const ModelConfig& config) {
  const RecurrentConfig& rnn = config.rnn;
  const double all = count_parameters(config);
  std::vector<double> parts;
  double recurrent = 0;
  for (std::int64_t layer = 0; layer < rnn.num_layers; ++layer) {
    const auto directions = static_cast<double>(rnn.num_directions());
    const auto gates = static_cast<double>(num_gates(rnn.cell) * rnn.hidden_size);
    const auto projection = static_cast<double>(rnn.proj_size * rnn.hidden_size);
    parts.push_back(directions * gates * static_cast<double>(rnn.layer_input_size(layer) + 2) /
                    all);
    parts.push_back(directions * (gates * static_cast<double>(rnn.h_size()) + projection) / all);
    recurrent += parts[parts.size() - 2] + parts.back();
  }
  parts.push_back(std::max(0.0, 1 - recurrent));
  return parts;
}

Computation of_many(Computation one, int ranks) noexcept {
  one.slowest = one.seconds * (1 + one.sigma * std::sqrt(2 * std::log(ranks)));
  return one;
}

}  // namespace quadgate::apps
