#include "apps/bench/network_probe.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "apps/bench/rank_values.h"
#include "apps/bench/scaling.h"
#include "apps/bench/step_benchmark.h"
#include "engine/cluster/job.h"
#include "engine/cluster/reduce_scatter.h"
#include "engine/cluster/sum_tree.h"

namespace quadgate::apps {
namespace {

using ProbeClock = std::chrono::steady_clock;

double since(ProbeClock::time_point start) {
  return std::chrono::duration<double>(ProbeClock::now() - start).count();
}

/// Sends messages to some ranks and receives as many from each, round after round.
class Rounds final : public cluster::Job {
 public:
  Rounds(std::vector<int> others, std::size_t messages, std::size_t bytes)
      : others_(std::move(others)),
        messages_(messages),
        bytes_(bytes),
        sent_(messages * bytes),
        received_(others_.size() * messages * bytes) {}

  void begin(int rounds) {
    left_ = rounds;
    rounds_ = rounds;
    seconds_ = 0;
  }
  /// Of a round.
  double seconds() const noexcept { return seconds_ / rounds_; }

  bool advance(cluster::Messenger& messenger) override {
    if (left_ == rounds_) start_ = ProbeClock::now();
    while (pending_ == 0) {
      if (left_-- == 0) {
        seconds_ = since(start_);
        return true;
      }
      begin_round(messenger);
    }
    return false;
  }

 private:
  void begin_round(cluster::Messenger& messenger) {
    std::span<std::byte> place(received_);
    for (std::size_t i = 0; i < messages_; ++i) {
      const int stream = static_cast<int>(i);
      for (const int other : others_) {
        messenger.receive(other, cluster::MessageKind::large, stream, place.first(bytes_),
                          pending_);
        place = place.subspan(bytes_);
      }
      for (const int other : others_) {
        messenger.send(other, cluster::MessageKind::large, stream,
                       std::span(sent_).subspan(i * bytes_, bytes_), pending_);
      }
    }
  }

  std::vector<int> others_;
  std::size_t messages_;
  std::size_t bytes_;
  std::vector<std::byte> sent_;
  std::vector<std::byte> received_;
  ProbeClock::time_point start_;
  int rounds_ = 0;
  int left_ = 0;
  int pending_ = 0;  // pieces
  double seconds_ = 0;
};

double slowest(cluster::Communicator& ranks, double mine) {
  return std::ranges::max(gather_value(ranks, mine));
}

/// How often something of so many seconds is done, for a tenth of a second or at least three times.
int times_for(double seconds) {
  constexpr double kTenth = 0.1;
  return static_cast<int>(std::clamp(kTenth / std::max(seconds, 1e-9), 3.0, 300.0));
}

/// Of a round, after one that makes connections.
double time_rounds(cluster::Communicator& ranks, const std::vector<int>& others,
                   std::size_t messages, std::size_t bytes) {
  Rounds rounds(others, messages, bytes);
  rounds.begin(2);
  ranks.run(rounds);
  rounds.begin(times_for(slowest(ranks, rounds.seconds())));
  meet(ranks);
  ranks.run(rounds);
  return slowest(ranks, rounds.seconds());
}

/// That of a hop, which is not shorter than its message's latency.
Link measure_link(cluster::Communicator& ranks, const std::vector<int>& others, const Hop& hop) {
  constexpr std::size_t kSmall = 64;
  constexpr std::size_t kLeast = std::size_t{1} << 20U;  // bytes that tell of a bandwidth
  constexpr std::size_t kMany = 8;
  const auto count = static_cast<double>(others.size());
  Link link;
  link.others = count;
  link.latency = time_rounds(ranks, others, 1, kSmall);
  const double many = time_rounds(ranks, others, kMany, kSmall);
  link.message = std::max(0.0, many - link.latency) / (count * (kMany - 1));
  const auto messages = static_cast<std::size_t>(std::max(1.0, hop.messages / count));
  const auto bytes = std::max(static_cast<std::size_t>(hop.bytes), kLeast);
  const std::size_t each = bytes / messages / others.size();
  const double large = time_rounds(ranks, others, messages, each);
  const auto sent = static_cast<double>(each * messages) * count;
  const double overhead = link.seconds({static_cast<double>(messages) * count, 1});
  link.bandwidth = sent / std::max(large - overhead, large / 2);
  return link;
}

double time_records(cluster::Communicator& ranks) {
  constexpr int kTimes = 50;
  meet(ranks);
  const ProbeClock::time_point start = ProbeClock::now();
  for (int i = 0; i < kTimes; ++i) meet(ranks);
  return slowest(ranks, since(start) / kTimes);
}

/// s a byte that is received, of arrays as large as the half of n weights.
double measure_adder(cluster::Communicator& ranks, std::size_t n) {
  const std::vector<float> left(std::max<std::size_t>(n / 2, 4096), 1.0F);
  const std::vector<float> right(left.size(), 2.0F);
  std::vector<float> sum(left.size());
  const auto bytes = static_cast<double>(left.size() * sizeof(float));
  meet(ranks);
  const ProbeClock::time_point start = ProbeClock::now();
  int times = 0;
  do {
    cluster::add_arrays(left, right.data(), sum.data());
    ++times;
  } while (since(start) < 0.02);
  return slowest(ranks, since(start) / times / bytes);
}

/// Of the steps of each rank, which began together.
Computation summarize_steps(const std::vector<std::vector<double>>& by_rank) {
  std::vector<double> slowest_steps;
  std::vector<double> steps;
  for (std::size_t i = 0; i < by_rank.front().size(); ++i) {
    double longest = 0;
    for (const auto& of_rank : by_rank) {
      longest = std::max(longest, of_rank[i]);
      steps.push_back(of_rank[i]);
    }
    slowest_steps.push_back(longest);
  }
  const Spread spread = spread_of(steps);
  constexpr double kQuartiles = 1.349;  // of a normal distribution, in standard deviations
  Computation computation;
  computation.seconds = spread.median;
  computation.slowest = spread_of(slowest_steps).median;
  computation.sigma = (spread.q3 - spread.q1) / kQuartiles / spread.median;
  return computation;
}

}  // namespace

NetworkSpeed measure_network(cluster::Communicator& ranks, std::size_t n,
                             std::int64_t grad_shards) {
  const int world_size = ranks.world_size();
  const int rank = ranks.rank();
  const cluster::ExchangePlan plan(n, world_size);
  const ExchangeWork work = exchange_work(n, world_size, grad_shards);
  NetworkSpeed network;
  for (std::size_t step = 0; step < work.gather_halvings.size(); ++step) {
    network.halvings.push_back(
        measure_link(ranks, {cluster::ExchangePlan::partner(rank, static_cast<int>(step))},
                     work.gather_halvings[step]));
  }
  const bool direct = work.reduce_halvings.empty();
  if (direct || plan.group_size() > 1) {
    std::vector<int> others;
    const int members = direct ? world_size : plan.group_size();
    for (int index = 1; index < members; ++index) {
      others.push_back(direct ? (rank + index) % world_size
                              : plan.member(rank, (plan.index(rank) + index) % members));
    }
    network.group = measure_link(ranks, others, work.reduce_group);
  }
  network.adder = measure_adder(ranks, n);
  double messages = 0;
  for (int known = 1, step = 0; known < world_size; known *= 2, ++step) {
    messages += network.halving(static_cast<std::size_t>(step)).latency;
  }
  network.call = std::max(0.0, time_records(ranks) - messages);
  return network;
}

ExchangeBenchmark::ExchangeBenchmark(cluster::Communicator& ranks, std::size_t n,
                                     std::int64_t grad_shards)
    : ranks_(ranks), exchange_(ranks, n, grad_shards), gradient_(n, 1.0F), weights_(n) {}

double ExchangeBenchmark::seconds() {
  for (auto shard = exchange_.first_shard(); shard < exchange_.last_shard(); ++shard) {
    exchange_.add(gradient_);
  }
  meet(ranks_);
  const ProbeClock::time_point start = ProbeClock::now();
  const std::span<const float> sum = exchange_.reduce_scatter();
  exchange_.sum_of_squares(sum);  // with the records of loss
  exchange_.all_gather(weights_);
  return slowest(ranks_, since(start));
}

Computation measure_computation(cluster::Communicator& ranks, const StepShape& shape, int threads,
                                double seconds) {
  const int world_size = ranks.world_size();
  const std::int64_t all_shards = StepBenchmark::shards_for(world_size);
  const auto [first, last] = cluster::shards_of(ranks.rank(), world_size, all_shards);
  const auto cut = [&](std::int64_t shard) { return shape.batch * shard / all_shards; };
  StepShape own = shape;
  own.batch = cut(last) - cut(first);
  cluster::Communicator alone;
  StepBenchmark benchmark(own, threads, Pinning::none, &alone, last - first);

  constexpr std::size_t kWarmUpSteps = 3;
  std::vector<double> times;
  benchmark.time_steps(0, kWarmUpSteps, times);
  const double step = slowest(ranks, spread_of(times).median);
  const auto count = static_cast<int>(std::clamp(seconds / step, 5.0, 500.0));
  times.clear();
  std::vector<double> updates;
  std::vector<double> windows;
  std::vector<double> forwards;
  for (int i = 0; i < count; ++i) {
    const PhaseTimes before = benchmark.phase_times();
    meet(ranks);
    benchmark.time_steps(0, 1, times);
    const PhaseTimes after = benchmark.phase_times();
    const auto seconds_of = [&](Phase phase) {
      return (after[phase] - before[phase]) / benchmark.threads();
    };
    updates.push_back(seconds_of(Phase::optimizer));
    // The gradients of a layer come before the layer below goes back. Half of the input products
    // are the way back's.
    const auto layers = static_cast<double>(shape.num_layers);
    windows.push_back(
        (seconds_of(Phase::weight_gradients) +
         (seconds_of(Phase::recurrence_backward) + seconds_of(Phase::input_product) / 2) *
             (1 - 1 / layers)) /
        static_cast<double>(last - first));
    // The first shard's.
    forwards.push_back(
        (seconds_of(Phase::recurrence_forward) + seconds_of(Phase::input_product) / 2) /
        static_cast<double>(last - first));
  }
  const auto median_of_all = [&](const std::vector<double>& mine) {
    return spread_of(gather_value(ranks, spread_of(mine).median)).median;
  };
  Computation computation = summarize_steps(gather_values(ranks, times));
  computation.update = median_of_all(updates);
  computation.window = benchmark.sends_early() ? median_of_all(windows) : 0;
  computation.forward = median_of_all(forwards);
  return computation;
}

}  // namespace quadgate::apps
