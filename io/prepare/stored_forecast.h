#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/data/data_description.h"
#include "io/hdf5/file.h"
#include "io/prepare/dataset_writer.h"
#include "io/prepare/folds.h"

namespace quadgate {

/// A series as a forecast's file holds it.
struct StoredSeries {
  std::string name{};                      ///< or none
  std::size_t file = 0;                    ///< number of its file
  std::int64_t first = 0;                  ///< its first row in x
  std::int64_t end = 0;                    ///< behind the last one of any split
  std::array<std::int64_t, 3> of_split{};  ///< rows that targets lie in: train, valid, test

  std::int64_t rows() const noexcept { return end - first; }
};

/// The series of a forecast's files, to be divided anew.
class StoredForecast {
 public:
  /// `description` is Dataset's of these files. Throws FileError.
  StoredForecast(std::span<const std::filesystem::path> paths, DataDescription description);

  const std::vector<StoredSeries>& series() const noexcept { return series_; }
  /// Whether the last rows of all series have one time, as far as times are known.
  bool end_together() const;
  /// XXH3 of the values and times of all series.
  std::uint64_t checksum() const;
  /// Writes a data set of `folds`, one for each series; `valid_rows` of the last rows that a fold
  /// is trained on, likewise one a series, are those of valid. Mean and std are measured in its
  /// train rows, in float64 from the values as the files have them, where the files have some.
  PrepareSummary write_fold(const std::filesystem::path& path, std::span<const SeriesFold> folds,
                            std::span<const std::int64_t> valid_rows) const;

 private:
  std::vector<double> constants_of(std::size_t number) const;
  /// A value of x in the units of the source.
  double original(std::size_t series, std::size_t column, double value) const;

  using Visitor =
      std::function<void(std::span<const float> x, std::span<const std::int64_t> times)>;
  void read(const StoredSeries& series, std::int64_t begin, std::int64_t end,
            const Visitor& visit) const;

  std::vector<std::filesystem::path> paths_;
  DataDescription description_;
  std::vector<hdf5::Array> x_;      // of each file
  std::vector<hdf5::Array> times_;  // likewise, or none
  std::vector<StoredSeries> series_;
};

}  // namespace quadgate
