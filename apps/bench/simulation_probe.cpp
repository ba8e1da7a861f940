#include "apps/bench/simulation_probe.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <numeric>

#include "apps/bench/scaling.h"
#include "apps/bench/step_benchmark.h"
#include "engine/base/error.h"
#include "engine/threads/team.h"
#include "engine/training/network.h"

namespace quadgate::apps {
namespace {

/// The median over samples of what `field(sample)` is.
template <typename Sample, typename Field>
double median(std::span<const Sample> samples, Field field) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(field(sample));
  return spread_of(std::move(values)).median;
}

/// The median seconds of a few calls.
template <typename Body>
double median_seconds(Body body) {
  constexpr int kCalls = 200;
  std::vector<double> times;
  for (int i = 0; i < kCalls; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    times.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return spread_of(std::move(times)).median;
}

}  // namespace

StepPlan plan_step(const StepShape& shape, int cores) {
  Arena arena(cores);
  Network network(model_of(shape), shape.seq_len, shape.batch, arena, shape.options);
  auto plan = network.step_plan(random_batch(shape));
  if (!plan) throw InvalidArgument("--simulate: expected the backend native, found onednn");
  return *std::move(plan);
}

StepProfile measure_profile(const StepShape& shape, double seconds, Pinning pinning) {
  constexpr std::size_t kWarmUpSteps = 3;
  constexpr std::size_t kFewestSteps = 5;
  StepShape alone = shape;
  alone.options.team_size = 0;
  StepBenchmark benchmark(alone, 1, pinning);
  std::vector<double> times;
  benchmark.time_steps(0, kWarmUpSteps, times);
  times.clear();
  const PhaseTimes before = benchmark.phase_times();
  benchmark.time_steps(seconds, kFewestSteps, times);
  StepProfile profile{.plan = benchmark.step_plan().value(), .phases = benchmark.phase_times()};
  // Phases are of all steps. Their shares are taken of the median step, which nobody interrupts.
  const double all = std::accumulate(times.begin(), times.end(), 0.0);
  const double step = spread_of(times).median;
  for (std::size_t i = 0; i < kPhases; ++i) {
    double& time = profile.phases.core_seconds[i];
    time = (time - before.core_seconds[i]) / all * step;
  }
  profile.serial = std::max(0.0, step - profile.phases.total());
  return profile;
}

Meeting measure_meeting(int cores, Pinning pinning) {
  constexpr int kWaits = 200;
  Arena arena(cores, pinning);
  std::atomic<std::int64_t> called = 0;
  const auto call = [&](std::int64_t) { called.fetch_add(1, std::memory_order_relaxed); };
  Meeting meeting{.cores = cores};
  meeting.join = median_seconds([&] { arena.for_each(cores, call); });
  Team team(cores);
  std::vector<double> waits;
  for (int round = 0; round < kWaits; ++round) {
    std::atomic<int> members = 0;
    std::atomic<double> seconds = 0;
    team.open(cores);
    arena.for_each(cores, [&](std::int64_t index) {
      team.run(index, [&](const Team::Member& member) {
        ++members;
        member.wait();
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < kWaits; ++i) member.wait();
        seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      });
    });
    // A team begins with those who came in time.
    if (members == cores) waits.push_back(seconds / kWaits);
  }
  if (!waits.empty()) meeting.wait = spread_of(std::move(waits)).median;
  return meeting;
}

StepProfile median_of(std::span<const StepProfile> samples) {
  StepProfile result = samples.front();
  for (std::size_t i = 0; i < kPhases; ++i) {
    result.phases.core_seconds[i] =
        median(samples, [&](const StepProfile& sample) { return sample.phases.core_seconds[i]; });
  }
  result.serial = median(samples, [](const StepProfile& sample) { return sample.serial; });
  return result;
}

Meeting median_of(std::span<const Meeting> samples) {
  return {samples.front().cores, median(samples, [](const Meeting& sample) { return sample.join; }),
          median(samples, [](const Meeting& sample) { return sample.wait; })};
}

}  // namespace quadgate::apps
