#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/model/model_on_data.h"
#include "apps/model/train_statistics.h"
#include "engine/model/batch.h"
#include "io/data/dataset.h"
#include "io/data/output_units.h"

namespace quadgate::apps {

enum class Baseline : std::uint8_t {
  last,      ///< the last value of the inputs
  seasonal,  ///< the value a season, or several, before, the nearest in the inputs
  mean,      ///< the mean of the train split
};

/// "last", "seasonal" or "mean".
std::string_view to_string(Baseline baseline) noexcept;

/// Forecasts that need no model.
class Baselines {
 public:
  /// `split` is one of `data`. Both must outlive it.
  Baselines(const Dataset& data, const Split& split, TrainStatistics train);

  const TrainStatistics& train() const noexcept { return train_; }
  /// Those that there are: seasonal needs a season of 2 or more, mean a train split.
  const std::vector<Baseline>& kinds() const noexcept { return kinds_; }
  /// The forecasts [N, horizon, targets] of a batch in original units. The first of its windows is
  /// number `first` of the split.
  std::span<const double> forecast(Baseline baseline, const Batch& batch, std::int64_t first);
  /// By what mase divides the errors of a target in that window; 0: it is not known.
  double scale(std::int64_t window, std::size_t target) const;

 private:
  std::size_t place(std::int64_t window, std::size_t target) const {
    return static_cast<std::size_t>(split_.series(window)) * columns_.size() + target;
  }

  const Split& split_;
  TrainStatistics train_;
  WindowUnits units_;
  std::int64_t input_len_;
  std::size_t horizon_;
  std::size_t width_;                  // features of a step
  std::vector<std::int64_t> columns_;  // of the targets
  std::vector<Baseline> kinds_{Baseline::last};
  std::vector<double> values_;
};

}  // namespace quadgate::apps
