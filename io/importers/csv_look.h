#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/csv.h"
#include "io/importers/csv_columns.h"
#include "io/importers/csv_numbers.h"
#include "io/importers/time_format.h"

/// What the first records of a table tell of how it is written.
namespace quadgate {

using CsvRecords = std::span<const std::vector<std::string>>;

/// The signs of the numbers of the features.
CsvNumbers numbers_of(CsvRecords first, const CsvColumns& columns, const CsvOptions& options,
                      char delimiter);

/// What the column of times holds.
std::vector<std::string_view> time_values(CsvRecords first, const CsvColumns& columns);

/// How it writes times.
TimeFormat times_of(CsvRecords first, const CsvColumns& columns, const CsvOptions& options);

}  // namespace quadgate
