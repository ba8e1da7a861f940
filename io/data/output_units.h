#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/model/loss_config.h"
#include "io/data/data_description.h"

namespace quadgate {

/// What a regression's outputs are, each of its `output_size` values.
struct OutputUnits {
  std::vector<std::string> names;  ///< "OT+1" for column OT, 1 step ahead; "0", "1", ... otherwise
  std::vector<double> mean;        ///< original = value * std + mean
  std::vector<double> std;
};

/// The units of so many values that a model trained on such data gives: those of a forecast are
/// standardized as its columns are.
OutputUnits output_units(const DataDescription& data, std::int64_t output_size);

/// The units of a head's outputs, from those of the targets: "OT+1 q0.1" for a quantile, "OT+1
/// mean", "OT+1 scale" and "OT+1 df" for a distribution.
OutputUnits head_units(const OutputUnits& of_targets, const LossConfig& loss);

}  // namespace quadgate
