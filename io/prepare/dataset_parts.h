#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "io/data/data_description.h"
#include "io/files/file_progress.h"
#include "io/files/temporary_file.h"
#include "io/hdf5/array_writer.h"
#include "io/hdf5/file_writer.h"
#include "io/prepare/dataset_writer.h"

/// What the writers of data sets share.
namespace quadgate {

/// In the order of a file's rows.
inline constexpr std::array<const char*, 3> kSplitNames{"train", "valid", "test"};

/// Divides `total` rows of the training input, `path`. A validation and a test file keep their own
/// rows. Throws InvalidArgument, naming the input, if a fraction is out of range, leaves a split
/// empty or stands beside that split's file.
PrepareSummary divide(const std::filesystem::path& path, std::int64_t total,
                      std::optional<std::int64_t> valid_rows, std::optional<std::int64_t> test_rows,
                      const PrepareOptions& options);

/// A data set that is written next to its place, root attributes first, and takes the place when it
/// is whole. Its format_version is at least `least_version`. Throws FileError. It then leaves
/// nothing behind, and an existing file as it was.
class DatasetFile {
 public:
  DatasetFile(const std::filesystem::path& path, const char* task,
              const DataDescription& description, std::int64_t least_version = 1);
  ~DatasetFile();
  DatasetFile(const DatasetFile&) = delete;
  DatasetFile& operator=(const DatasetFile&) = delete;

  hdf5::FileWriter& file() noexcept { return file_; }
  /// Call it once all arrays are finished and gone.
  void commit();

 private:
  TemporaryFile temporary_;
  hdf5::FileWriter file_;
};

/// How many floats are read at a time: whole rows of `columns`, about 64 KiB.
std::int64_t piece_size(std::int64_t columns);

/// Puts the mean of its column where a value of x [rows, columns] is NaN.
void fill_with_means(std::span<double> x, std::span<const double> means);

/// How the arrays are stored.
inline hdf5::Storage storage_of(const PrepareOptions& options) {
  return options.gzip ? hdf5::Storage::gzip : hdf5::Storage::contiguous;
}

/// The rows of an input, if it is there.
template <typename Input>
std::optional<std::int64_t> rows_of(const std::optional<Input>& input) {
  return input ? std::optional(input->size()) : std::nullopt;
}

}  // namespace quadgate
