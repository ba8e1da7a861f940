#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/bench/scaling.h"
#include "apps/common/commands.h"
#include "apps/common/machine.h"

namespace quadgate::apps {

/// What `quadgate scale` found.
struct ScaleReport {
  ScaleArguments arguments;
  Machine machine;
  std::string backend;
  std::string precision;
  std::string torch_version;       ///< empty without PyTorch
  std::vector<ScalePoint> points;  ///< from the fewest threads to the most
  std::optional<double> serial_fraction;
};

/// One JSON object with all of it: times in ms, rates in GFLOP/s, phases as shares of core time.
std::string to_json(const ScaleReport& report);

/// One page with tables and plots that needs no other file and no network.
std::string to_html(const ScaleReport& report);

/// The part of the core time of `point` that went into `phase`; 0 if no time was taken.
double phase_share(const ScalePoint& point, Phase phase);

}  // namespace quadgate::apps
