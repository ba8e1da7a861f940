#pragma once

#include <filesystem>
#include <string>

#include "io/data/recipe.h"
#include "io/importers/import_options.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// What a `.tsf` file holds.
struct TsfData {
  Series series;
  Recipe recipe;  ///< how it was read, with the step that `@frequency` names
  std::string
      without_times{};  ///< why the series have no times, for people; empty if it tells none
};

/// Reads the `.tsf` text format of the Monash forecasting archive
/// (https://forecastingdata.org), plain or gzipped. A line is a series of one feature, "value":
/// attributes with ':' between them, then values with ',' between them. The text attributes name
/// it. The date is the time of its first value, from which `@frequency` counts on: "hourly",
/// "half_hourly", "10_minutes", "quarterly", ...; of months their ends, if all series start on the
/// last day of one.
/// '?' and NaN are missing (see fill_missing). Throws FileError ("a.tsf:17: expected ...").
TsfData read_tsf(const std::filesystem::path& path, MissingPolicy missing = MissingPolicy::error,
                 const ImportOptions& options = {});

}  // namespace quadgate
