#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/importers/missing_filler.h"
#include "io/importers/missing_policy.h"
#include "io/importers/series_rows.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// A row of a table. NaN is a missing value.
struct TableRow {
  std::size_t series = 0;
  std::size_t split = 0;  ///< 0 train, 1 valid, 2 test
  std::optional<double> time{};
  std::int64_t line = 0;
  std::span<double> values{};  ///< [features], which may be filled
};

/// Makes series of the rows of tables. It fills or leaves out what is missing, and keeps the last
/// rows of a series back as rows of the future while only known columns have values in them.
class SeriesBuilder {
 public:
  explicit SeriesBuilder(MissingPolicy missing, const SpoolOptions& spool = {});

  /// Rows of this file follow, of these features. Throws DataError if they are not those of the
  /// file before.
  void begin_file(const std::filesystem::path& path, std::vector<std::string> features,
                  std::vector<bool> are_known);
  /// Returns the number of a new series.
  std::size_t add_series(std::string_view name);
  /// Whether a row lacks values that it has to have.
  bool lacks_values(std::span<const double> row) const;
  /// Whether only the known columns have values, and all of them.
  bool is_of_future(std::span<const double> row) const;
  /// Throws FileError if rows with numbers follow a row of the future.
  void add(const TableRow& row);

  const std::string& name(std::size_t series) const { return series_.parts[series].name; }
  const std::vector<std::string>& feature_names() const noexcept { return series_.feature_names; }
  /// The number of a feature.
  std::size_t place_of(std::string_view feature) const;
  /// Whether each row has a time that a file can keep.
  bool has_times() const noexcept { return times_.has_value(); }
  std::int64_t dropped_rows() const noexcept { return series_.dropped_rows; }

  /// Rows of the one series there is that no piece has had, and those that it has kept.
  std::int64_t piece_rows() const noexcept {
    return series_.parts.empty() ? 0 : series_.parts.front().rows.front();
  }
  /// Returns the one series there is as far as it has come, but for rows of the future, and keeps
  /// its last `kept` rows: the next piece, or `take`, begins with them.
  Series take_piece(std::int64_t kept);
  /// Returns all series, those without rows among them. Throws FileError if what is left out leaves
  /// a split without rows.
  Series take();

 private:
  struct FutureRow {
    std::vector<double> values;
    std::optional<double> time;
    std::size_t split = 0;
    std::string where;  // "a.csv:17"
  };

  void add_whole(std::size_t series, std::size_t split, std::optional<double> time,
                 std::span<double> values);
  void append(std::size_t series, std::optional<double> time, std::span<const double> values);
  void add_future();
  void expect_rows_left() const;
  const std::string& first_unknown_feature() const;

  MissingPolicy missing_;
  SpoolOptions spool_;
  std::filesystem::path path_;  // of the file that is being read
  Series series_;
  std::vector<bool> are_known_;  // [features]
  SeriesRows rows_;
  std::optional<SeriesRows> times_;             // of the same rows; none once a row has no time
  std::vector<MissingFiller> fillers_;          // by series
  std::vector<std::vector<FutureRow>> future_;  // by series
  std::array<std::int64_t, 3> read_rows_{};     // by split, those left out among them
  bool has_handed_on_ = false;
};

}  // namespace quadgate
