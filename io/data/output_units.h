#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/model/loss_config.h"
#include "io/data/data_description.h"
#include "io/data/dataset.h"

namespace quadgate {

/// What a regression's outputs are, each of its `output_size` values.
struct OutputUnits {
  std::vector<std::string> names;  ///< "OT+1" for column OT, 1 step ahead; "0", "1", ... otherwise
  std::vector<double> mean;        ///< original = value * std + mean
  std::vector<double> std;
};

/// The units of so many values that a model trained on such data gives: those of a forecast are
/// standardized as its columns are, of a series with a scale of its own by that.
OutputUnits output_units(const DataDescription& data, std::int64_t output_size,
                         const SeriesScale* scale = nullptr);

/// The units of a head's outputs, from those of the targets: "OT+1 q0.1" for a quantile, "OT+1
/// mean", "OT+1 scale" and "OT+1 df" for a distribution.
OutputUnits head_units(const OutputUnits& of_targets, const LossConfig& loss);

/// The units of the outputs for each window of a split.
class WindowUnits {
 public:
  /// Of a head with this `loss`, or, without one, of so many targets. `data` and `split`, a split
  /// of such data, must outlive it.
  WindowUnits(const DataDescription& data, const Split& split, std::int64_t target_size,
              const LossConfig* loss = nullptr);

  const std::vector<std::string>& names() const noexcept { return units_.names; }
  std::size_t size() const noexcept { return units_.names.size(); }
  /// Of window, or sequence, number `row`. One thread at a time may call it.
  const OutputUnits& of(std::int64_t row);

 private:
  OutputUnits make(const SeriesScale* scale) const;

  const DataDescription& data_;
  const Split& split_;
  std::int64_t target_size_;
  std::optional<LossConfig> loss_;
  std::int64_t row_ = -1;               // that units_ are of,
  const SeriesScale* scale_ = nullptr;  // and its scale
  OutputUnits units_;
};

}  // namespace quadgate
