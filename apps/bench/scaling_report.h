#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/bench/network_report.h"
#include "apps/bench/scaling.h"
#include "apps/bench/scaling_run.h"
#include "apps/bench/simulation_report.h"
#include "apps/common/machine.h"

namespace quadgate::apps {

/// The result of `quadgate scale`.
struct ScalingReport {
  ScalingArguments arguments;
  Machine machine;
  std::string backend;
  std::string precision;
  std::string torch_version;         ///< empty without PyTorch
  std::string torch_problem;         ///< why it is missing though it was asked for; or empty
  std::vector<ScalingPoint> points;  ///< from the fewest cores to the most
  std::optional<double> serial_fraction;
  int ranks = 0;                       ///< that a launcher started; 0: none
  int machines = 1;                    ///< that these are on
  std::vector<ScalingPoint> left_out;  ///< ranks and threads alone: they would share cores
  std::optional<NetworkReport> network;
  std::optional<SimulationReport> simulation;
};

/// The points of a report as a table for a terminal.
std::string to_table(const ScalingReport& report);

/// The report as one JSON object: times in ms, rates in GFLOP/s, phases as shares of core time.
std::string to_json(const ScalingReport& report);

/// The report as one page with tables and plots. The page needs no other file and no network.
std::string to_html(const ScalingReport& report);

/// The share of `phase` in the core time of `point`; 0 if no time was taken.
double phase_share(const ScalingPoint& point, Phase phase);

}  // namespace quadgate::apps
