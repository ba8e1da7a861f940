#include "apps/bench/scaling_series.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <numeric>
#include <span>
#include <utility>

#include "apps/bench/network_probe.h"
#include "apps/bench/rank_values.h"
#include "apps/bench/step_benchmark.h"

namespace quadgate::apps {
namespace {

/// That of rank 0, so that all do the same.
double first_of(cluster::Communicator* ranks, double mine) {
  return ranks == nullptr ? mine : gather_value(*ranks, mine).front();
}

double sum_of(cluster::Communicator* ranks, double mine) {
  if (ranks == nullptr) return mine;
  const std::vector<double> all = gather_value(*ranks, mine);
  return std::accumulate(all.begin(), all.end(), 0.0);
}

/// The waits of the rank that waits least for each step: it is the last to have computed, and waits
/// for messages alone.
std::vector<double> least_waits(cluster::Communicator& ranks, std::span<const double> mine) {
  const std::vector<std::vector<double>> all = gather_values(ranks, mine);
  std::vector<double> least = all.front();
  for (const std::vector<double>& waits : all) {
    for (std::size_t i = 0; i < least.size(); ++i) least[i] = std::min(least[i], waits[i]);
  }
  return least;
}

/// Of the rank that sends most.
StepTraffic traffic_of(cluster::Communicator& ranks, const cluster::Traffic& before,
                       std::size_t steps) {
  const cluster::Traffic now = ranks.traffic();
  const auto of_step = [&](std::int64_t from, std::int64_t to) {
    return static_cast<double>(to - from) / static_cast<double>(steps);
  };
  const std::vector<double> mine = {of_step(before.bytes, now.bytes),
                                    of_step(before.messages, now.messages),
                                    of_step(before.small_bytes, now.small_bytes),
                                    of_step(before.small_messages, now.small_messages)};
  const auto all = gather_values(ranks, mine);
  const auto most = std::ranges::max(all, {}, [](const auto& values) { return values[0]; });
  const auto whole = [&](std::size_t i) { return static_cast<std::int64_t>(most[i]); };
  return {whole(0), whole(1), whole(2), whole(3)};
}

/// Times steps, exchanges, and bursts of multiply-adds in turns. The bursts are as long as the
/// steps, so that the medians of both suffer alike from neighbours that interrupt them.
void measure_steps_and_peak(StepBenchmark& benchmark, double seconds, Series& series,
                            cluster::Communicator* ranks) {
  constexpr std::size_t kWarmUpSteps = 3;
  constexpr int kTurns = 5;
  constexpr double kMostBursts = 10;  // in a turn
  constexpr double kShortestBurst = 5e-4;
  std::unique_ptr<ExchangeBenchmark> exchange;
  if (ranks != nullptr) {
    exchange = std::make_unique<ExchangeBenchmark>(*ranks, benchmark.parameters(),
                                                   StepBenchmark::shards_for(ranks->world_size()));
    exchange->seconds();
  }
  std::vector<double> times;
  std::vector<double> waits;
  std::vector<double> exchanges;
  std::vector<double> peaks;
  benchmark.time_steps(0, kWarmUpSteps, times);
  const double burst = first_of(ranks, std::max(spread_of(times).min, kShortestBurst));
  const double bursts = std::clamp(seconds / kTurns / 2 / burst, 1.0, kMostBursts);
  benchmark.measure_peak(burst);
  times.clear();
  for (int turn = 0; turn < kTurns; ++turn) {
    const PhaseTimes before = benchmark.phase_times();
    const cluster::Traffic sent = ranks == nullptr ? cluster::Traffic{} : ranks->traffic();
    const std::size_t steps = benchmark.time_steps(seconds / kTurns, 1, times, &waits);
    const PhaseTimes after = benchmark.phase_times();
    for (std::size_t i = 0; i < kPhases; ++i) {
      series.point.phases.core_seconds[i] += after.core_seconds[i] - before.core_seconds[i];
    }
    if (ranks != nullptr) {
      series.point.communication.emplace().traffic = traffic_of(*ranks, sent, steps);
      exchanges.push_back(exchange->seconds());
    }
    for (int i = 0; i < static_cast<int>(bursts); ++i) {
      if (ranks != nullptr) meet(*ranks);
      peaks.push_back(benchmark.measure_peak(burst));
    }
  }
  series.point.steps += static_cast<std::int64_t>(times.size());
  ScalingSample& sample = series.samples.emplace_back();
  sample.step_seconds = spread_of(times).median;
  sample.peak = sum_of(ranks, spread_of(peaks).median);
  if (ranks != nullptr) {
    sample.exchange_seconds = spread_of(exchanges).median;
    sample.wait_seconds = spread_of(least_waits(*ranks, waits)).median;
  }
}

}  // namespace

void measure(Series& series, double seconds, Pinning pinning, cluster::Communicator* ranks) {
  {
    StepBenchmark benchmark(series.shape, series.point.threads, pinning, ranks);
    series.point.step_flops = benchmark.step_flops();
    measure_steps_and_peak(benchmark, seconds, series, ranks);
  }
  if (series.torch) {
    series.samples.back().torch_seconds = series.torch->step_seconds(seconds);
  }
}

void show(const Series& series, bool with_ranks, int repeat, int repeats) {
  const ScalingSample& sample = series.samples.back();
  std::string line =
      fmt::format("repeat {}/{}  {}  {:.4g} ms  {:.1f} of {:.1f} GFLOP/s", repeat, repeats,
                  name_of(series.point, with_ranks), sample.step_seconds * 1e3,
                  series.point.step_flops / sample.step_seconds / 1e9, sample.peak / 1e9);
  if (series.torch) line += fmt::format("  torch {:.4g} ms", sample.torch_seconds * 1e3);
  if (series.point.communication) {
    line += fmt::format("  exchange {:.4g} ms, {:.4g} ms of it waited for",
                        sample.exchange_seconds * 1e3, sample.wait_seconds * 1e3);
  }
  fmt::print(stderr, "{}\n", line);
}

}  // namespace quadgate::apps
