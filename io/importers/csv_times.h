#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "io/importers/csv.h"
#include "io/importers/csv_columns.h"
#include "io/importers/csv_look.h"
#include "io/importers/row_times.h"
#include "io/importers/zone_use.h"

namespace quadgate {

/// The column of times of the tables that are read with some options.
class CsvTimes {
 public:
  /// `options` must outlive it.
  explicit CsvTimes(const CsvOptions& options)
      : options_(options), rows_(options.valid_from, options.test_from) {}

  /// Begins a file, whose column of times, if there is one, has values in its first records. Throws
  /// InvalidArgument if an option wants other times.
  void begin(const std::filesystem::path& path, const CsvColumns& columns, CsvRecords first);
  /// The time of the next row of a series, from its line; empty if the text is none and need not be
  /// one. Of a row of the future it is the next time of the series. Throws FileError.
  std::optional<double> read(std::size_t series, std::string_view text, std::int64_t line,
                             bool is_future);

  const RowTimes& rows() const noexcept { return rows_; }
  /// What is wrong with the first row that is not in the order of time; empty if all are.
  const std::string& first_step_back() const noexcept { return first_step_back_; }

 private:
  bool is_resampled() const noexcept { return !options_.resample.empty(); }
  /// Whether every row must have a time.
  bool are_needed() const noexcept {
    return rows_.has_borders() || is_resampled() || !options_.calendar.empty();
  }
  [[noreturn]] void fail_without_column() const;

  const CsvOptions& options_;
  RowTimes rows_;
  ZoneUse zones_;
  std::string first_step_back_;
  std::filesystem::path path_;  // of the file that is being read
  std::string column_;
};

}  // namespace quadgate
