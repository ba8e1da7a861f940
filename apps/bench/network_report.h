#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "apps/bench/network_model.h"
#include "apps/bench/scaling.h"

namespace quadgate::apps {

/// A number of ranks whose step was both measured and predicted.
struct NetworkCheck {
  int ranks = 0;
  std::int64_t batch = 0;
  bool share_cores = false;  ///< so that they compute more slowly than ranks of a cluster
  NetworkSpeed network;      ///< medians, as the next two
  Computation computation;
  StepPrediction predicted;
  Spread step_seconds;      ///< measured
  Spread exchange_seconds;  ///< measured, without computing

  /// Of the prediction, as a part of what was measured.
  double error() const noexcept { return predicted.step() / step_seconds.median - 1; }
  double exchange_error() const noexcept {
    return predicted.exchange() / exchange_seconds.median - 1;
  }
};

/// A number of ranks whose step was predicted alone: computed on one rank, and the exchange from
/// the constants of the last check.
struct NetworkPrediction {
  int ranks = 0;
  std::int64_t batch = 0;
  StepPrediction step;
  double speed_up = 0;  ///< in rows a second, over one rank
  double efficiency = 0;
};

struct NetworkReport {
  std::size_t parameters = 0;  ///< weights
  int threads = 0;
  bool is_one_machine = false;  ///< all ranks are on one
  std::vector<NetworkCheck> checks;
  std::vector<NetworkPrediction> predictions;
};

/// Medians of each constant. All are of the same ranks.
NetworkSpeed median_of(const std::vector<NetworkSpeed>& samples);
Computation median_of(const std::vector<Computation>& samples);

/// "between ranks 2 apart" or "among 3 ranks": the links of a check, with their names.
std::vector<std::pair<std::string, Link>> links_of(const NetworkCheck& check);

/// The constants, checks and predictions, as lines for a terminal.
std::string to_text(const NetworkReport& report);

}  // namespace quadgate::apps
