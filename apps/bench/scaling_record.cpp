#include "apps/bench/scaling_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "apps/bench/step_benchmark.h"
#include "engine/base/error.h"
#include "engine/training/make_backend.h"
#include "io/files/replace_file.h"

namespace quadgate::apps {
namespace {

/// Whether it is numbers of ranks or of threads alone that differ, so that a law has one variable.
bool vary_in_one(std::span<const Series> all) {
  const auto& first = all.front().point;
  const auto same = [&](auto field) {
    return std::ranges::all_of(
        all, [&](const Series& series) { return series.point.*field == first.*field; });
  };
  return same(&ScalingPoint::ranks) || same(&ScalingPoint::threads);
}

std::string headline(const ScalingReport& report) {
  if (report.points.empty()) return "no speed-ups: all ranks share cores";
  const ScalingPoint& first = report.points.front();
  const ScalingPoint& last = report.points.back();
  const bool ranks = report.ranks > 0;
  std::string line = fmt::format(
      "{}: {:.2f} times the speed of {}, efficiency {:.2f} "
      "(the FMA peak's: {:.2f})",
      name_of(last, ranks), last.speed_up.median,
      ranks ? name_of(first, true) : std::to_string(first.threads), last.efficiency,
      last.peak_efficiency);
  if (report.serial_fraction) {
    line += fmt::format(", serial fraction {:.4f}", *report.serial_fraction);
  }
  return line;
}

}  // namespace

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

ScalingReport begin_report(const ScalingArguments& arguments) {
  ScalingReport report;
  report.arguments = arguments;
  report.machine = describe_machine();
  const auto asked = arguments.shape.options.backend;
  report.backend =
      to_string(asked == BackendKind::automatic
                    ? choose_backend(model_of(arguments.shape), arguments.shape.options)
                    : asked);
  report.precision = to_string(arguments.shape.options.precision);
  return report;
}

void conclude(std::span<Series> all, ScalingReport& report) {
  if (all.empty()) return;
  std::vector<double> ratios;
  std::vector<double> speed_ups;
  const Series& base = all.front();
  for (Series& series : all) {
    summarize(series.point, series.samples, base.point, base.samples);
    report.points.push_back(series.point);
    ratios.push_back(static_cast<double>(series.point.cores()) / base.point.cores());
    speed_ups.push_back(series.point.speed_up.median);
  }
  if (!vary_in_one(all)) return;
  report.serial_fraction = serial_fraction(report.arguments.weak, ratios, speed_ups);
}

void write_report(const ScalingReport& report) {
  const std::filesystem::path& output = report.arguments.output;
  const std::string text = output.extension() == ".json" ? to_json(report) : to_html(report);
  replace_file(output, std::as_bytes(std::span(text)));
  fmt::print("wrote {}: {}\n", output.string(), headline(report));
}

}  // namespace quadgate::apps
