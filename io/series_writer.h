#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

#include "io/dataset_writer.h"
#include "io/spool.h"

namespace quadgate {

/// One series of a table: its rows follow each other, those of the train split first.
struct SeriesPart {
  std::string name{};                    ///< empty if the table holds only one
  std::array<std::int64_t, 3> rows{};  ///< of each split, in the order of time

  std::int64_t size() const noexcept { return std::reduce(rows.begin(), rows.end()); }
};

/// Multivariate series, as importers read them.
struct Series {
  std::filesystem::path path{};  ///< that they were read from, for messages
  std::vector<std::string> feature_names{};
  Spool<float> x;  ///< [L, C], C = feature_names.size(); NaN: the mean of the training rows
  std::vector<SeriesPart> parts{};  ///< series after series
  std::int64_t dropped_rows = 0;    ///< left out since values were missing
  std::int64_t filled_values = 0;   ///< that were missing
  std::int64_t steps_back = 0;      ///< rows whose time is before that of the row before
};

/// Writes a forecast data set, atomically. The splits of each series follow each other in time:
/// train, valid, test. Fractions divide the rows of the train split, of each series by itself.
/// Several series, or one with a name, are written with `ranges` (see Dataset). Throws
/// InvalidArgument if a fraction is out of range or leaves a split empty or stands beside that
/// split's rows; FileError if the file cannot be written. An existing file then stays as it was.
PrepareSummary write_forecast(const std::filesystem::path& path, Series data,
                              const PrepareOptions& options);

}  // namespace quadgate
