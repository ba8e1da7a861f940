#pragma once

#include <filesystem>

#include "io/importers/import_options.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// Reads the `.tsf` text format of the Monash forecasting archive
/// (https://forecastingdata.org), plain or gzipped. A line is a series of one feature, "value":
/// attributes with ':' between them, then values with ',' between them. The text attributes name
/// it.
/// '?' and NaN are missing (see fill_missing). Throws FileError ("a.tsf:17: expected ...").
Series read_tsf(const std::filesystem::path& path, MissingPolicy missing = MissingPolicy::error,
                const ImportOptions& options = {});

}  // namespace quadgate
