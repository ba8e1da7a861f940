#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/base/phase_times.h"

namespace quadgate::apps {

/// The middle of repeated measurements, and how far they lie apart.
struct Spread {
  double median = 0;
  double q1 = 0;  ///< a quarter lies below
  double q3 = 0;  ///< a quarter lies above
  double min = 0;
  double max = 0;
};

/// `values`, at least one; quartiles are interpolated linearly, as NumPy's are.
Spread spread_of(std::vector<double> values);

/// One repeat at one thread count.
struct ScaleSample {
  double step_seconds = 0;   ///< median over its steps
  double peak = 0;           ///< FMA peak of the same threads between the steps, median, FLOP/s
  double torch_seconds = 0;  ///< of PyTorch's step, median; 0 without PyTorch
};

/// What the repeats at one thread count come to. Speed-ups are those in FLOP/s, each repeat against
/// the same repeat at the fewest threads.
struct ScalePoint {
  int threads = 0;
  std::int64_t batch = 0;
  double step_flops = 0;   ///< floating-point operations of a step
  std::int64_t steps = 0;  ///< that were timed, in all repeats
  Spread step_seconds;
  Spread rate;        ///< FLOP/s
  Spread peak;        ///< FLOP/s
  Spread peak_share;  ///< rate over peak of the same repeat
  Spread speed_up;
  double efficiency = 0;       ///< speed-up over the ratio of the threads, median as the next two
  double peak_efficiency = 0;  ///< the same of the FMA peak: what the machine itself gives
  double efficiency_over_peak = 0;  ///< the one over the other, in each repeat
  PhaseTimes phases;                ///< core-seconds of the timed steps
  struct Torch {
    Spread step_seconds;
    Spread speed_up;
    Spread ratio;  ///< PyTorch's step over ours
  };
  std::optional<Torch> torch;
};

/// Turns `samples` into the spreads and efficiencies of `point`; its speed-up is that over `base`
/// with `base_samples`, as many: the fewest threads. Threads and step_flops of both are set.
void summarize(ScalePoint& point, std::span<const ScaleSample> samples, const ScalePoint& base,
               std::span<const ScaleSample> base_samples);

/// The part f of the work that does not spread over cores, by least squares over `speed_ups` S at
/// `ratios` r of the threads to the fewest. With the same batch everywhere (Amdahl):
/// 1 / S = f + (1 - f) / r. With rows for every thread (weak; Gustafson): S = r - f (r - 1). Empty
/// where all ratios are 1.
std::optional<double> serial_fraction(bool weak, std::span<const double> ratios,
                                      std::span<const double> speed_ups);

}  // namespace quadgate::apps
