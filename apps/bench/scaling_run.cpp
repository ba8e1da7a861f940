#include "apps/bench/scaling_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <span>

#include "apps/bench/scaling_report.h"
#include "apps/bench/step_benchmark.h"
#include "apps/bench/torch_peer.h"
#include "apps/common/threads.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"
#include "engine/threads/affinity.h"
#include "engine/training/make_backend.h"
#include "io/files/replace_file.h"

namespace quadgate::apps {
namespace {

void expect_writable(const std::filesystem::path& output) {
  const std::string extension = output.extension().string();
  if (extension != ".json" && extension != ".html") {
    throw InvalidArgument(
        fmt::format("--output: expected a name in .json or .html, found '{}'", output.string()));
  }
  const auto folder = output.parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder)) {
    throw FileError(fmt::format("{}: cannot be written: there is no folder {}", output.string(),
                                folder.string()));
  }
}

/// What a thread count works on: the same batch at each, or rows for every thread.
StepShape shape_at(int threads, const ScalingArguments& arguments) {
  StepShape shape = arguments.shape;
  if (arguments.weak) {
    shape.batch *= threads;
  }
  return shape;
}

/// One thread count: what it works on, its samples so far, and PyTorch, if that is compared with.
struct Series {
  ScalingPoint point;
  StepShape shape;
  std::vector<ScalingSample> samples;
  std::unique_ptr<TorchPeer> torch;
};

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

/// Times steps and bursts of multiply-adds in turns. The bursts are as long as the steps, so that
/// the medians of both suffer alike from neighbours that interrupt them.
void measure_steps_and_peak(StepBenchmark& benchmark, double seconds, Series& series) {
  constexpr std::size_t kWarmUpSteps = 3;
  constexpr int kTurns = 5;
  constexpr double kMostBursts = 10;  // in a turn
  constexpr double kShortestBurst = 5e-4;
  std::vector<double> times;
  std::vector<double> peaks;
  benchmark.time_steps(0, kWarmUpSteps, times);
  const double burst = std::max(spread_of(times).min, kShortestBurst);
  const double bursts = std::clamp(seconds / kTurns / 2 / burst, 1.0, kMostBursts);
  benchmark.measure_peak(burst);
  times.clear();
  for (int turn = 0; turn < kTurns; ++turn) {
    const PhaseTimes before = benchmark.phase_times();
    benchmark.time_steps(seconds / kTurns, 1, times);
    const PhaseTimes after = benchmark.phase_times();
    for (std::size_t i = 0; i < kPhases; ++i) {
      series.point.phases.core_seconds[i] += after.core_seconds[i] - before.core_seconds[i];
    }
    for (int i = 0; i < static_cast<int>(bursts); ++i) {
      peaks.push_back(benchmark.measure_peak(burst));
    }
  }
  series.point.steps += static_cast<std::int64_t>(times.size());
  series.samples.push_back({spread_of(times).median, spread_of(peaks).median, 0});
}

/// One more repeat: a model of its own, so that one that lies badly in memory is one of many.
void measure(Series& series, const ScalingArguments& arguments) {
  {
    StepBenchmark benchmark(series.shape, series.point.threads,
                            arguments.pin ? Pinning::cores : Pinning::none);
    series.point.step_flops = benchmark.step_flops();
    measure_steps_and_peak(benchmark, arguments.seconds, series);
  }
  if (series.torch) {
    series.samples.back().torch_seconds = series.torch->step_seconds(arguments.seconds);
  }
}

void show(const Series& series, int repeat, int repeats) {
  const ScalingSample& sample = series.samples.back();
  std::string line = fmt::format(
      "repeat {}/{}  {} thread{}  {:.4g} ms  {:.1f} of {:.1f} GFLOP/s", repeat, repeats,
      series.point.threads, series.point.threads == 1 ? "" : "s", sample.step_seconds * 1e3,
      series.point.step_flops / sample.step_seconds / 1e9, sample.peak / 1e9);
  if (series.torch) {
    line += fmt::format("  torch {:.4g} ms", sample.torch_seconds * 1e3);
  }
  fmt::print(stderr, "{}\n", line);
}

void warn_of_sharing(int threads, const Machine& machine) {
  const auto allowed = static_cast<int>(machine.affinity.size());
  const int cpus = std::min(allowed, machine.cgroup_cpus.value_or(allowed));
  if (threads > cpus) {
    warn(fmt::format("{} threads will share {} CPU{}", threads, cpus, cpus == 1 ? "" : "s"));
  }
}

/// Fills the points of `report` and fits the serial fraction.
void conclude(std::vector<Series>& all, ScalingReport& report) {
  std::vector<double> ratios;
  std::vector<double> speed_ups;
  const Series& base = all.front();
  for (Series& series : all) {
    summarize(series.point, series.samples, base.point, base.samples);
    report.points.push_back(series.point);
    ratios.push_back(static_cast<double>(series.point.threads) / base.point.threads);
    speed_ups.push_back(series.point.speed_up.median);
  }
  report.serial_fraction = serial_fraction(report.arguments.weak, ratios, speed_ups);
}

std::string headline(const ScalingReport& report) {
  const ScalingPoint& first = report.points.front();
  const ScalingPoint& last = report.points.back();
  std::string line = fmt::format(
      "{} threads: {:.2f} times the speed of {}, efficiency {:.2f} "
      "(the FMA peak's: {:.2f})",
      last.threads, last.speed_up.median, first.threads, last.efficiency, last.peak_efficiency);
  if (report.serial_fraction) {
    line += fmt::format(", serial fraction {:.4f}", *report.serial_fraction);
  }
  return line;
}

}  // namespace

void scaling_run(const ScalingArguments& arguments) {
  expect_writable(arguments.output);
  ScalingReport report;
  report.arguments = arguments;
  report.machine = describe_machine();
  const auto asked = arguments.shape.options.backend;
  report.backend =
      to_string(asked == BackendKind::automatic
                    ? choose_backend(model_of(arguments.shape), arguments.shape.options)
                    : asked);
  report.precision = to_string(arguments.shape.options.precision);
  std::vector<Series> all = plan(arguments, report.machine.affinity);
  warn_of_sharing(all.back().point.threads, report.machine);
  if (arguments.compare_torch) drop_torch(all, report);
  for (int repeat = 1; repeat <= arguments.repeats; ++repeat) {
    for (Series& series : all) {
      measure(series, arguments);
      show(series, repeat, arguments.repeats);
    }
  }
  conclude(all, report);
  const std::string text =
      arguments.output.extension() == ".json" ? to_json(report) : to_html(report);
  replace_file(arguments.output, std::as_bytes(std::span(text)));
  fmt::print("wrote {}: {}\n", arguments.output.string(), headline(report));
}

}  // namespace quadgate::apps
