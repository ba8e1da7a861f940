#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/bench/scaling.h"
#include "apps/bench/scaling_run.h"
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
  std::vector<ScalingPoint> points;  ///< from the fewest threads to the most
  std::optional<double> serial_fraction;
};

/// The report as one JSON object: times in ms, rates in GFLOP/s, phases as shares of core time.
std::string to_json(const ScalingReport& report);

/// The report as one page with tables and plots. The page needs no other file and no network.
std::string to_html(const ScalingReport& report);

/// The share of `phase` in the core time of `point`; 0 if no time was taken.
double phase_share(const ScalingPoint& point, Phase phase);

}  // namespace quadgate::apps
