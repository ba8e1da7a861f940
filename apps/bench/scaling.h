#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

/// One repeat at one thread count.
struct ScalingSample {
  double step_seconds = 0;   ///< median over its steps
  double peak = 0;           ///< FMA peak of the same threads between the steps, median, FLOP/s
  double torch_seconds = 0;  ///< PyTorch's step, median; 0 without PyTorch
};

/// The repeats at one thread count, summarized. A speed-up compares the FLOP/s of a repeat with
/// those of the same repeat at the fewest threads.
struct ScalingPoint {
  int threads = 0;
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
};

/// Fills the spreads and efficiencies of `point` from `samples`. Its speed-up is over `base`, the
/// fewest threads, with as many `base_samples`. Threads and step_flops of both must be set.
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
