#include "apps/bench/rank_scaling.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "apps/bench/first_ranks.h"
#include "apps/bench/network_study.h"
#include "apps/bench/scaling_record.h"
#include "apps/bench/scaling_series.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

/// What was asked for, in numbers.
struct Counts {
  std::vector<int> ranks;
  std::vector<int> threads;
};

Counts counts_of(Ranks& ranks, const ScalingArguments& arguments) {
  const int world_size = ranks.communicator().world_size();
  if (arguments.compare_torch) {
    throw InvalidArgument("--compare: expected one process, found several ranks");
  }
  if (arguments.ranks.empty() && !arguments.network) {
    throw InvalidArgument(
        fmt::format("--ranks: expected how many of the {} ranks to measure, such as 1,{}",
                    world_size, world_size));
  }
  Counts counts;
  counts.ranks = arguments.ranks.empty() ? std::vector<int>{1, world_size}
                                         : parse_counts("--ranks", arguments.ranks, world_size);
  counts.threads = arguments.threads.empty() ? std::vector<int>{ranks.choose_threads({}, {})}
                                             : parse_thread_counts(arguments.threads);
  if (arguments.network && counts.threads.size() > 1) {
    throw InvalidArgument(fmt::format("--threads: expected one number with --network, found '{}'",
                                      arguments.threads));
  }
  return counts;
}

/// What is measured.
struct RanksPlan {
  std::vector<Series> fitting{};        // in the order of their cores
  std::vector<ScalingPoint> sharing{};  // cores
  std::optional<NetworkStudy> network{};
  int machines = 0;
};

void say_what_is_left_out(const RanksPlan& plan) {
  std::vector<std::string> names;
  for (const ScalingPoint& point : plan.sharing) names.push_back(name_of(point, true));
  note(fmt::format("left out, since they would share cores: {}{}", fmt::join(names, ", "),
                   plan.network ? "; their steps are compared with predictions alone" : ""));
}

RanksPlan plan_ranks(Ranks& ranks, const ScalingArguments& arguments) {
  const Counts counts = counts_of(ranks, arguments);
  const std::vector<RankCores> cores = ranks.cores();
  RanksPlan plan;
  std::set<std::string> machines;
  for (const RankCores& rank : cores) machines.insert(rank.machine);
  plan.machines = static_cast<int>(machines.size());
  if (arguments.network) plan.network.emplace(arguments, counts.threads.front());
  bool has_checks = false;
  for (const int count : counts.ranks) {
    for (const int threads : counts.threads) {
      Series series;
      series.shape = shape_of_ranks(arguments, count);
      series.point.ranks = count;
      series.point.threads = threads;
      series.point.batch = series.shape.batch;
      const bool fits =
          have_cores(std::span(cores).first(static_cast<std::size_t>(count)), threads);
      if (plan.network && count > 1) {
        plan.network->add(count, !fits);
        has_checks = true;
      }
      fits ? plan.fitting.push_back(std::move(series)) : plan.sharing.push_back(series.point);
    }
  }
  if (plan.fitting.empty() && !has_checks) {
    throw InvalidArgument(fmt::format(
        "--threads: expected no more than the {} of a rank, found '{}'",
        cores.front().cores.size() == 1 ? "1 core"
                                        : fmt::format("{} cores", cores.front().cores.size()),
        arguments.threads));
  }
  std::ranges::stable_sort(plan.fitting, {}, [](const Series& s) { return s.point.cores(); });
  if (!plan.sharing.empty()) say_what_is_left_out(plan);
  return plan;
}

}  // namespace

void scale_ranks(Ranks& ranks, const ScalingArguments& arguments) {
  if (ranks.is_first()) expect_writable(arguments.output);
  RanksPlan plan = plan_ranks(ranks, arguments);
  FirstRanks first(ranks.communicator());
  for (int repeat = 1; repeat <= arguments.repeats; ++repeat) {
    for (Series& series : plan.fitting) {
      first.run(series.point.ranks, [&](cluster::Communicator* some) {
        measure(series, arguments.seconds, Pinning::none, some);
      });
      if (ranks.is_first()) show(series, true, repeat, arguments.repeats);
    }
    if (plan.network) plan.network->measure(first);
  }
  if (!ranks.is_first()) return;
  ScalingReport report = begin_report(arguments);
  report.arguments.pin = false;
  report.ranks = ranks.communicator().world_size();
  report.machines = plan.machines;
  report.left_out = plan.sharing;
  conclude(plan.fitting, report);
  if (plan.network) report.network = plan.network->conclude(plan.machines == 1);
  write_report(report);
  fmt::print("{}", to_table(report));
  if (report.network) fmt::print("{}", to_text(*report.network));
}

}  // namespace quadgate::apps
