#include "apps/bench/scaling_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include "apps/bench/rank_scaling.h"
#include "apps/bench/scaling_record.h"
#include "apps/bench/scaling_series.h"
#include "apps/bench/simulation_study.h"
#include "apps/bench/step_benchmark.h"
#include "apps/bench/torch_peer.h"
#include "apps/common/command.h"
#include "apps/common/ranks.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// What a thread count works on: the same batch at each, or rows for every thread.
StepShape shape_at(int threads, const ScalingArguments& arguments) {
  StepShape shape = arguments.shape;
  if (arguments.weak) {
    shape.batch *= threads;
  }
  return shape;
}

std::vector<Series> plan(const ScalingArguments& arguments, const std::vector<int>& cpus) {
  std::vector<Series> all;
  for (const int threads : parse_thread_counts(arguments.threads)) {
    Series& series = all.emplace_back();
    series.shape = shape_at(threads, arguments);
    series.point.threads = threads;
    series.point.batch = series.shape.batch;
    if (arguments.compare_torch) {
      const std::size_t used = arguments.pin ? static_cast<std::size_t>(threads) : 0;
      series.torch =
          std::make_unique<TorchPeer>(arguments.python, series.shape, random_batch(series.shape),
                                      threads, std::span(cpus).first(std::min(used, cpus.size())));
    }
  }
  return all;
}

/// Goes on without a PyTorch that cannot do the step, and says why.
void drop_torch(std::vector<Series>& all, ScalingReport& report) {
  for (const Series& series : all) {
    if (report.torch_problem.empty()) report.torch_problem = series.torch->problem();
  }
  if (report.torch_problem.empty()) {
    report.torch_version = all.front().torch->version();
    return;
  }
  warn(report.torch_problem + "; it is left out");
  for (Series& series : all) series.torch.reset();
}

int cpus_of(const Machine& machine) {
  const auto allowed = static_cast<int>(machine.affinity.size());
  return std::min(allowed, machine.cgroup_cpus.value_or(allowed));
}

void warn_of_sharing(int threads, const Machine& machine) {
  const int cpus = cpus_of(machine);
  if (threads > cpus) {
    warn(fmt::format("{} threads will share {} CPU{}", threads, cpus, cpus == 1 ? "" : "s"));
  }
}

void scale_threads(const ScalingArguments& arguments) {
  expect_writable(arguments.output);
  ScalingReport report = begin_report(arguments);
  std::vector<Series> all = plan(arguments, report.machine.affinity);
  std::optional<SimulationStudy> simulation;
  if (arguments.simulate) {
    simulation.emplace(arguments, parse_thread_counts(arguments.threads), cpus_of(report.machine));
  }
  warn_of_sharing(all.back().point.threads, report.machine);
  if (arguments.compare_torch) drop_torch(all, report);
  for (int repeat = 1; repeat <= arguments.repeats; ++repeat) {
    for (Series& series : all) {
      measure(series, arguments.seconds, arguments.pin ? Pinning::cores : Pinning::none);
      show(series, false, repeat, arguments.repeats);
    }
    if (simulation) simulation->measure();
  }
  conclude(all, report);
  if (simulation) report.simulation = simulation->conclude(report.points);
  write_report(report);
  if (report.simulation) fmt::print("{}", to_text(*report.simulation));
}

}  // namespace

int scaling_run(const ScalingArguments& arguments) {
  return Ranks::work([&](Ranks* ranks) {
    const bool asks = !arguments.ranks.empty() || arguments.network;
    if (ranks == nullptr && asks) {
      throw InvalidArgument(
          fmt::format("{}: expected several ranks, as mpirun -n 4 quadgate scale --ranks 1,2,4 has "
                      "them, found one process",
                      arguments.network ? "--network" : "--ranks"));
    }
    if (ranks != nullptr && arguments.simulate) {
      throw InvalidArgument(fmt::format("--simulate: expected one process, found {} ranks",
                                        ranks->communicator().world_size()));
    }
    ranks == nullptr ? scale_threads(arguments) : scale_ranks(*ranks, arguments);
    return kExitDone;
  });
}

}  // namespace quadgate::apps
