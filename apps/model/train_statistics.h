#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/data/data_description.h"

namespace quadgate::apps {

/// What naive forecasts and scaled errors need of a train split, in original units.
struct TrainStatistics {
  std::int64_t num_series = 0;  ///< 0: there is no train split
  std::vector<double> means{};  ///< [series, targets]; of a series without rows that of all
  /// [series, targets]: the mean absolute error of repeating the value `season` rows before, or of
  /// the last value if there is no season. 0: none.
  std::vector<double> scales{};
  std::optional<std::int64_t> season{};
};

/// Measures them, or, of data without a train split, those of another `split`. `data` is Dataset's
/// description of the files at `paths`. Without a `season` it looks for one of up to the model's
/// input_len, beyond which its windows do not reach. Throws FileError.
TrainStatistics measure_train(std::span<const std::filesystem::path> paths,
                              const DataDescription& data, std::optional<std::int64_t> season,
                              const std::string& split = "train");

}  // namespace quadgate::apps
