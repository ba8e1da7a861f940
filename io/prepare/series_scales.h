#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "io/data/data_description.h"
#include "io/data/standardization.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// The rows of each split, over all series.
std::array<std::int64_t, 3> rows_of_splits(const Series& data);

/// Mean and std of each feature over the training rows of all series. Of the features that are
/// added only static numbers have some; the others stay as they are.
Standardization measure_all(const Series& data, const PrepareOptions& options);

/// Mean and std of each series: those that options.like knows of it, or else over its training
/// rows, or, of a series without any, over its valid or test rows. Features that are added have one
/// scale, of all series. `order` arranges features as the data set has them. `own` gets the names
/// of series that were measured in rows that no model was trained on. Throws DataError if a name
/// comes twice.
std::vector<SeriesScale> scales_of_series(const Series& data, ColumnOrder& order,
                                          const PrepareOptions& options,
                                          std::vector<std::string>& own);

}  // namespace quadgate
