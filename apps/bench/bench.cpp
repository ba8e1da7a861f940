#include "apps/bench/bench.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "apps/bench/scaling.h"
#include "apps/bench/step_benchmark.h"
#include "apps/common/command.h"
#include "apps/common/ranks.h"
#include "apps/common/threads.h"
#include "engine/base/error.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

/// The best of a few bursts.
double best_peak(StepBenchmark& benchmark) {
  constexpr int kTries = 6;
  constexpr double kSeconds = 6e-3;
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    best = std::max(best, benchmark.measure_peak(kSeconds));
  }
  return best;
}

/// The largest resident size of this process so far. Linux's ru_maxrss is at least the size of the
/// process that started this one; VmHWM, where the system has it, is not.
double peak_rss_mb() {
  constexpr auto kWholeLine = std::numeric_limits<std::streamsize>::max();
  std::ifstream status("/proc/self/status");
  for (std::string name; status >> name; status.ignore(kWholeLine, '\n')) {
    double kilobytes = 0;
    if (name == "VmHWM:" && status >> kilobytes) {
      return kilobytes / 1024;
    }
  }
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// That of all ranks, which measure at the same time.
double best_peak(StepBenchmark& benchmark, Ranks* ranks) {
  const double mine = best_peak(benchmark);
  if (ranks == nullptr) return mine;
  std::vector<double> all(static_cast<std::size_t>(ranks->communicator().world_size()));
  ranks->communicator().all_gather(std::as_bytes(std::span(&mine, 1)),
                                   std::as_writable_bytes(std::span(all)));
  return std::accumulate(all.begin(), all.end(), 0.0);
}

using Record = nlohmann::ordered_json;

/// What was measured, a field each.
void print(const Record& record, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", record.dump());
    return;
  }
  for (const auto& [name, value] : record.items()) {
    fmt::print("{:<16} {}\n", name,
               value.is_number_float() ? fmt::format("{:.5g}", value.get<double>())
               : value.is_string()     ? value.get<std::string>()
                                       : value.dump());
  }
}

/// How many tasks there are of each cost.
Record tasks_of(const char* cost, std::span<const double> costs) {
  std::map<double, std::int64_t, std::greater<>> counts;
  for (const double each : costs) ++counts[each];
  Record tasks = Record::array();
  for (const auto& [each, count] : counts) tasks.push_back({{cost, each}, {"count", count}});
  return tasks;
}

Record tasks_of(std::span<const StepPlan::Tasks> parts) {
  std::vector<double> costs;
  for (const StepPlan::Tasks& part : parts) {
    for (const StepPlan::Task& task : part.tasks) costs.push_back(task.cost);
  }
  return tasks_of("multiply_adds", costs);
}

/// What the cores share of a step.
Record record_of(const StepPlan& plan) {
  Record ranges = Record::array();
  for (const StepPlan::Range& range : plan.ranges) {
    ranges.push_back({{"rows", range.rows}, {"steps", range.steps}});
  }
  return {{"ranges", ranges},
          {"team", plan.members},
          {"head", tasks_of(plan.head)},
          {"weight_gradients", tasks_of(plan.gradients)},
          {"updates", tasks_of("weights", plan.updates)}};
}

/// Times steps as one of several ranks, or alone, where `ranks` is null.
int bench_on(Ranks* ranks, const BenchArguments& arguments) {
  if (ranks != nullptr && arguments.shape.options.forward_only) {
    throw InvalidArgument(
        fmt::format("--forward: expected one rank, found {}", ranks->communicator().world_size()));
  }
  cluster::Communicator* const communicator = ranks == nullptr ? nullptr : &ranks->communicator();
  const int threads = ranks == nullptr ? choose_threads(arguments.threads)
                                       : ranks->choose_threads(arguments.threads, {});
  StepBenchmark benchmark(arguments.shape, threads,
                          arguments.pin && ranks == nullptr ? Pinning::cores : Pinning::none,
                          communicator);
  constexpr std::size_t kWarmUpSteps = 3;
  constexpr std::size_t kFewestSteps = 5;
  std::vector<double> times;
  double peak = best_peak(benchmark, ranks);
  benchmark.time_steps(0, kWarmUpSteps, times);
  times.clear();
  const cluster::Traffic before =
      communicator == nullptr ? cluster::Traffic{} : communicator->traffic();
  const double shared_before = benchmark.phase_times().total();
  std::size_t steps = benchmark.time_steps(arguments.seconds / 2, kFewestSteps / 2, times);
  peak = std::max(peak, best_peak(benchmark, ranks));
  steps += benchmark.time_steps(arguments.seconds / 2, kFewestSteps - kFewestSteps / 2, times);
  const double shared = (benchmark.phase_times().total() - shared_before) / threads;
  peak = std::max(peak, best_peak(benchmark, ranks));

  if (ranks != nullptr && !ranks->is_first()) return kExitDone;

  const Spread seconds = spread_of(times);
  const double rate = benchmark.step_flops() / seconds.min;
  Record record;
  record["step_ms_median"] = seconds.median * 1e3;
  record["step_ms_min"] = seconds.min * 1e3;
  record["gflops"] = rate / 1e9;
  record["peak_gflops"] = peak / 1e9;
  record["peak_fraction"] = rate / peak;
  record["tokens_per_s"] = static_cast<double>(benchmark.batch().steps()) / seconds.median;
  record["steps"] = times.size();
  record["threads"] = benchmark.threads();
  if (communicator != nullptr) {
    const cluster::Traffic sent = communicator->traffic();
    const auto count = static_cast<std::int64_t>(steps);
    record["ranks"] = communicator->world_size();
    record["sent_bytes_per_step"] = (sent.bytes - before.bytes) / count;
    record["messages_per_step"] = (sent.messages - before.messages) / count;
  }
  if (arguments.json && ranks == nullptr && !arguments.shape.options.forward_only) {
    // The rest of the time other cores cannot help. Its share is taken of the median step, which
    // nobody interrupts.
    const double all = std::accumulate(times.begin(), times.end(), 0.0);
    record["serial_ms"] = (1 - shared / all) * seconds.median * 1e3;
    const auto plan = benchmark.step_plan();
    record["plan"] = plan ? record_of(*plan) : Record(nullptr);
  }
  record["isa"] = kernels::to_string(kernels::active_isa());
  record["backend"] = to_string(benchmark.backend());
  record["precision"] = to_string(arguments.shape.options.precision);
  record["peak_rss_mb"] = peak_rss_mb();
  print(record, arguments.json);
  return kExitDone;
}

}  // namespace

int bench(const BenchArguments& arguments) {
  return Ranks::work([&](Ranks* ranks) { return bench_on(ranks, arguments); });
}

}  // namespace quadgate::apps
