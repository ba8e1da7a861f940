#pragma once

#include <filesystem>

#include "io/importers/csv.h"
#include "io/importers/csv_numbers.h"
#include "io/importers/csv_reader.h"
#include "io/importers/time_format.h"

namespace quadgate {

/// Adds how a table was read, and what of it may be meant otherwise.
void add_findings(const std::filesystem::path& path, const CsvReader& reader,
                  const CsvColumns& columns, const CsvNumbers& numbers, const TimeFormat& times,
                  CsvFindings& findings);

}  // namespace quadgate
