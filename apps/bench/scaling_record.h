#pragma once

#include <filesystem>
#include <span>

#include "apps/bench/scaling_report.h"
#include "apps/bench/scaling_run.h"
#include "apps/bench/scaling_series.h"

namespace quadgate::apps {

/// Throws InvalidArgument or FileError unless a report can be written there.
void expect_writable(const std::filesystem::path& output);

/// A report without points.
ScalingReport begin_report(const ScalingArguments& arguments);

/// Adds the summary of what was measured, the fewest cores first, and fits the serial fraction
/// where only threads or only ranks differ.
void conclude(std::span<Series> all, ScalingReport& report);

/// Writes the report, and prints a line of it.
void write_report(const ScalingReport& report);

}  // namespace quadgate::apps
