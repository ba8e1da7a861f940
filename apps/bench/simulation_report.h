#pragma once

#include <string>
#include <vector>

#include "apps/bench/scaling.h"
#include "apps/bench/simulation_model.h"

namespace quadgate::apps {

/// A number of threads whose step was both measured and predicted.
struct SimulationCheck {
  int threads = 0;
  SimulatedStep predicted;
  Spread step_seconds;  ///< measured

  /// Of the prediction, as a part of what was measured.
  double error() const noexcept { return predicted.step() / step_seconds.median - 1; }
};

/// A number of threads whose step was predicted alone.
struct SimulationPrediction {
  int threads = 0;
  std::int64_t ranges = 0;   ///< of sequences
  std::int64_t members = 0;  ///< of the team that takes each
  SimulatedStep step;
  double speed_up = 0;  ///< over the predicted step of one thread
  double efficiency = 0;
};

/// Steps of many threads, computed from profiles of one and from what threads take to meet.
struct SimulationReport {
  std::vector<Meeting> meetings;  ///< measured
  MeetingCosts costs;
  std::vector<SimulationCheck> checks;
  std::vector<SimulationPrediction> predictions;
};

/// What the predictions leave out.
inline constexpr const char* kNotSimulated =
    "Not modelled: memory bandwidth and caches that cores share, and clocks that fall with the "
    "number of busy cores";

/// The costs, checks and predictions, as lines for a terminal.
std::string to_text(const SimulationReport& report);

}  // namespace quadgate::apps
