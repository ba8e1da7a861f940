#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/phase_times.h"

namespace quadgate::apps {

/// Median and quartiles of repeated measurements.
struct Spread {
  double median = 0;
  double q1 = 0;  ///< a quarter lies below
  double q3 = 0;  ///< a quarter lies above
  double min = 0;
  double max = 0;
};

/// The spread of at least one value. Quartiles are interpolated linearly, as NumPy's are.
Spread spread_of(std::vector<double> values);

/// One repeat at one number of ranks and threads.
struct ScalingSample {
  double step_seconds = 0;      ///< median over its steps
  double peak = 0;              ///< FMA peak of the same threads between the steps, median, FLOP/s
  double torch_seconds = 0;     ///< PyTorch's step, median; 0 without PyTorch
  double exchange_seconds = 0;  ///< of gradients and weights, without computing; 0 for one rank
  double wait_seconds = 0;  ///< of a step, for the exchange: of the rank that waits least, median
};

/// What a rank has sent in a step.
struct StepTraffic {
  std::int64_t bytes = 0;           ///< of gradients and weights
  std::int64_t messages = 0;        ///< that these went in
  std::int64_t small_bytes = 0;     ///< of losses and norms
  std::int64_t small_messages = 0;  ///< that these went in
};

/// The repeats at one number of ranks and threads, summarized. A speed-up compares the FLOP/s of a
/// repeat with those of the same repeat at the fewest cores.
struct ScalingPoint {
  int ranks = 1;
  int threads = 0;  ///< of each rank
  std::int64_t batch = 0;
  double step_flops = 0;   ///< floating-point operations of a step
  std::int64_t steps = 0;  ///< timed in all repeats
  Spread step_seconds;
  Spread rate;        ///< FLOP/s
  Spread peak;        ///< FLOP/s
  Spread peak_share;  ///< rate over peak of the same repeat
  Spread speed_up;
  double efficiency = 0;       ///< speed-up over the ratio of the threads, median as the next two
  double peak_efficiency = 0;  ///< the FMA peak's: what the machine itself gives
  double efficiency_over_peak = 0;  ///< the one over the other, in each repeat
  PhaseTimes phases;                ///< core-seconds of the timed steps
  struct Torch {
    Spread step_seconds;
    Spread speed_up;
    Spread ratio;  ///< PyTorch's step over ours
  };
  std::optional<Torch> torch;
  struct Communication {
    Spread exchange;      ///< seconds of an exchange without computing
    Spread exposed;       ///< seconds that a step waits for it
    Spread hidden;        ///< the rest of the exchange, which goes on while the ranks compute
    StepTraffic traffic;  ///< of the rank that sends most
  };
  std::optional<Communication> communication;  ///< of two ranks or more

  int cores() const noexcept { return ranks * threads; }
};

/// "2 ranks of 1 thread", or "2 threads" without ranks.
std::string name_of(const ScalingPoint& point, bool with_ranks);

/// Fills the spreads and efficiencies of `point` from `samples`. Its speed-up is over `base`, the
/// fewest cores, with as many `base_samples`. Ranks, threads and step_flops of both must be set.
void summarize(ScalingPoint& point, std::span<const ScalingSample> samples,
               const ScalingPoint& base, std::span<const ScalingSample> base_samples);

/// The part f of the work that does not spread over cores, by least squares over speed-ups S at
/// ratios r of threads:
///
///     strong, the same batch everywhere (Amdahl)      1 / S = f + (1 - f) / r
///     weak, rows for every thread (Gustafson)             S = r - f (r - 1)
///
/// Empty if all ratios are 1.
std::optional<double> serial_fraction(bool weak, std::span<const double> ratios,
                                      std::span<const double> speed_ups);

}  // namespace quadgate::apps
