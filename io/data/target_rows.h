#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "io/data/data_description.h"

namespace quadgate {

/// What the forecast's targets are in some rows of a series, in original units.
struct TargetRows {
  std::int64_t series = 0;         ///< its number, over all files
  std::span<const double> values;  ///< [rows, targets]
};

/// Reads the rows that the targets of a split lie in, of each series of a forecast's files, piece
/// by piece. `shown` is Dataset's description of them. Returns the number of series; 0, without a
/// call, if a file has no such split. Throws FileError.
std::int64_t for_each_target_rows(std::span<const std::filesystem::path> paths,
                                  const std::string& split, const DataDescription& shown,
                                  const std::function<void(const TargetRows&)>& visit);

}  // namespace quadgate
