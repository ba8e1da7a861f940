#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "io/files/spool.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// One series of a table.
struct SeriesPart {
  std::string name{};                  ///< empty if the table does not name its series
  std::array<std::int64_t, 3> rows{};  ///< of each split: train, valid, test
  std::int64_t gap = 0;                ///< rows in front of those of test that are of no split
  std::int64_t future_rows = 0;        ///< behind them: only known columns have values there
  std::vector<double> constants{};     ///< the features of Series::statics

  std::int64_t size() const noexcept {
    return std::reduce(rows.begin(), rows.end(), gap + future_rows);
  }
};

/// Multivariate series, as importers read them.
struct Series {
  explicit Series(std::filesystem::path from = {}, const SpoolOptions& spool = {})
      : path(std::move(from)), x(spool), times(spool) {}

  std::int64_t columns() const noexcept { return std::ssize(feature_names); }
  std::int64_t size() const noexcept { return feature_names.empty() ? 0 : x.size() / columns(); }

  std::filesystem::path path;  ///< where they come from, for messages
  std::vector<std::string> feature_names{};
  SpooledFloats x;                      ///< [L, C], C = feature_names.size(); NaN: not known
  SpooledFloats times;                  ///< [L], as Recipe::time_format writes them; or none
  std::vector<std::string> calendar{};  ///< parts of the times that become features (see Recipe)
  std::vector<StaticColumn> statics{};  ///< whose values become features of each row
  std::vector<std::string> known{};     ///< columns that are known of the future, too
  std::vector<SeriesPart> parts{};      ///< their rows follow each other in x, in the order of time
  bool fill_with_mean = false;          ///< NaN becomes the mean of the column's training rows
  std::int64_t dropped_rows = 0;        ///< rows left out, since a value was missing
  std::int64_t filled_values = 0;       ///< values that were missing
  std::int64_t steps_back = 0;          ///< rows with a time before that of the row above
  std::int64_t same_times = 0;          ///< rows with the time of the row above
  std::int64_t time_gaps = 0;           ///< steps that are longer than the usual one
};

/// Writes a forecast data set, atomically. The splits of a series follow each other in time: train,
/// valid, test. Fractions divide the train rows of each series. Series with names get `ranges` (see
/// Dataset). Throws InvalidArgument if a fraction is out of range, leaves a split empty or stands
/// beside that split's rows; DataError if a value is not finite; FileError if the file cannot be
/// written. An existing file then stays as it was.
PrepareSummary write_forecast(const std::filesystem::path& path, Series data,
                              const PrepareOptions& options);

}  // namespace quadgate
