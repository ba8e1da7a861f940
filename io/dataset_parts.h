#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "io/data_description.h"
#include "io/dataset_writer.h"
#include "io/hdf5.h"

/// What the writers of data sets share.
namespace quadgate {

/// In the order of a file's rows.
inline constexpr std::array<const char*, 3> kSplitNames{"train", "valid", "test"};

/// Rows of each split, of `total` rows of the training input and those of a test file, if any.
/// Throws InvalidArgument if a fraction is out of range or leaves a split empty.
PrepareSummary divide(std::int64_t total, std::optional<std::int64_t> test_rows,
                      const PrepareOptions& options);

/// 0, 1, ..., count - 1.
std::vector<std::int64_t> all_rows(std::int64_t count);

/// Rows of each split, `sizes` in number, drawn at random (Philox, seed 1), each in order.
std::array<std::vector<std::int64_t>, 3> draw_parts(const std::array<std::int64_t, 3>& sizes);

/// A data set in memory with its root attributes.
hdf5::File create_dataset(const std::filesystem::path& path, const char* task,
                          const DataDescription& description);

}  // namespace quadgate
