#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "io/data/data_description.h"
#include "io/data/standardization.h"
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

/// The columns of an input in the order of the features that a data set shall have.
class ColumnOrder {
 public:
  /// As the input has them, unless `like` names them in another order. Throws DataError,
  /// naming the input, if it has other columns.
  ColumnOrder(const std::filesystem::path& input, const std::vector<std::string>& names,
              std::int64_t columns, const DataDescription* like);

  /// Arranges x [rows, columns] in place.
  void apply(std::span<double> x);

 private:
  std::vector<std::size_t> columns_;  // none: as they are
  std::vector<double> row_;
};

/// What becomes of values: those that are missing are filled, then all are standardized.
struct Scale {
  std::vector<double> fill{};         ///< [columns]; empty: none may be missing
  Standardization standardization{};  ///< of the data set
  /// If not empty, those of each series instead. What is missing is then filled with its mean.
  std::vector<SeriesScale> of_series{};
};

/// The same of `like`. Throws InvalidArgument if it does not tell what to fill with.
Scale scale_like(const std::filesystem::path& input, bool fills_with_mean,
                 const DataDescription& like);

/// The scale of options.like, or as `measure` finds it in the training rows. `fills_with_mean` says
/// that values are missing.
template <typename Measure>
Scale scale_of(const std::filesystem::path& input, bool fills_with_mean,
               const PrepareOptions& options, Measure measure) {
  if (options.like != nullptr) return scale_like(input, fills_with_mean, *options.like);
  Scale scale;
  if (!options.standardize && !fills_with_mean) return scale;
  const Standardization measured = measure();
  if (options.standardize) scale.standardization = measured;
  if (fills_with_mean) scale.fill = measured.mean;
  return scale;
}

/// Names, scale and recipe of a data set: of options.like, or else these.
DataDescription describe(const std::vector<std::string>& feature_names, const Scale& scale,
                         const PrepareOptions& options);

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
