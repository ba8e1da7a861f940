#pragma once

#include <filesystem>

#include "io/dataset_writer.h"
#include "io/importers/input.h"

namespace quadgate {

/// Reads a series from comma-separated text, plain or gzipped: a line of column names, then a line
/// a time step. A first column that is not numeric is the time stamp, and left out. Throws
/// FileError ("a.csv:17: column 'OT': expected a number, found 'abc'").
Series read_csv(const std::filesystem::path& path, const ImportOptions& options = {});

}  // namespace quadgate
