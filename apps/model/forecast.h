#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/model/model_on_data.h"
#include "apps/model/prediction_writer.h"

namespace quadgate::apps {

/// How forecasts are written.
struct ForecastOptions {
  std::optional<std::int64_t> steps{};  ///< rows to forecast behind the last one; none: the horizon
  bool wide = false;                    ///< a row a time, a column a target
  std::vector<double> quantiles{};      ///< of a model with bands; empty: see Bands
  std::string title{};                  ///< of a page
};

/// Writes the forecasts of all windows of a split of `data`, which the model is on, with their
/// series and times, as CSV or, to a name in .h5, as HDF5 (docs/formats.md), to one in .html as a
/// page, the truth where it is known, and bands if the model has them. Windows are of the past, or
/// of kFuture. Throws DataError if the rows of a window of the future are not as far from each
/// other as those that the model was trained on; InvalidArgument if it cannot go on for so many
/// steps, or has no such quantiles. The windows of the one series that the model goes on to are its
/// next ones.
std::unique_ptr<PredictionWriter> open_forecasts(ModelOnData& model,
                                                 std::span<const std::filesystem::path> data,
                                                 const ForecastOptions& options,
                                                 const std::filesystem::path& output);

}  // namespace quadgate::apps
