#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "io/data/dataset.h"
#include "io/prepare/dataset_writer.h"

namespace quadgate {

/// Writes a data set of the rows of `data`, sequences of any task, which are divided anew: split_of
/// tells for each of its rows (see for_each_row) the split, 0 train, 1 valid, 2 test. What was
/// measured in the train split of `data` is measured in the new one: mean and std, in float64 from
/// the values as the data set has them, and the vocabulary, where the recipe tells how often a word
/// must occur. All else is as it was. Throws InvalidArgument if no row is of train; DataError and
/// FileError.
PrepareSummary write_fold(const std::filesystem::path& path, Dataset& data,
                          std::span<const std::uint8_t> split_of);

}  // namespace quadgate
