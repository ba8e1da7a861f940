#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/files/spool.h"
#include "io/importers/csv_columns.h"
#include "io/importers/import_options.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

/// What becomes of a value that is not there (see is_missing).
enum class MissingPolicy : std::uint8_t {
  error,    ///< the file is refused
  drop,     ///< the row is left out
  forward,  ///< the value of the row before in its series; rows before the first are left out
  mean      ///< the mean of the column's training rows
};

/// "error", "drop", "forward" or "mean". Throws InvalidArgument for others.
MissingPolicy missing_policy_from_name(std::string_view name);

/// How tables are read.
struct CsvOptions {
  CsvColumnOptions columns{};
  std::optional<char> delimiter{};  ///< empty: as the first lines look
  std::optional<char> decimal{};    ///< empty: as the first lines look
  MissingPolicy missing = MissingPolicy::error;
  /// Rows from these times on (see parse_timestamp) are of the valid and of the test split.
  std::optional<double> valid_from{};
  std::optional<double> test_from{};
};

/// Reads series from tables in text, plain or gzipped: a record of column names, unless the first
/// one holds values, then one a time step.
class CsvImporter {
 public:
  /// Throws InvalidArgument if test_from is before valid_from.
  explicit CsvImporter(CsvOptions options = {}, ImportOptions import = {});

  /// Reads a file, whose rows go on where those of the files before ended. They are of this split
  /// (0 train, 1 valid, 2 test), and 0 where times divide them. Throws FileError ("a.csv:17: column
  /// 'OT': expected a number, found 'abc'"), InvalidArgument if a column of the options is not
  /// there.
  void read(const std::filesystem::path& path, std::size_t split = 0);
  /// All that was read. Throws FileError.
  Series take();

 private:
  using Fields = std::vector<std::string_view>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  void set_columns(CsvColumns columns);
  void add(const Fields& fields);
  std::size_t number_of_series(const Fields& fields);
  std::size_t split_of(const Fields& fields, std::size_t number);
  bool read_values(const Fields& fields, std::vector<float>& last);
  bool carry_forward(std::vector<float>& last);
  void sort_by_series();
  [[noreturn]] void fail(const std::string& problem) const;
  [[noreturn]] void fail_field(std::size_t column, const char* expected,
                               std::string_view found) const;
  [[noreturn]] void fail_empty() const;

  CsvOptions options_;
  ImportOptions import_;
  Series series_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;  // of series
  SpooledIntegers series_of_rows_;               // their numbers, if a column tells them
  std::vector<std::vector<float>> last_values_;  // by series; NaN: none yet
  std::vector<double> last_times_;
  std::int64_t rows_ = 0;  // read, left out ones included

  // Of the file being read.
  std::filesystem::path path_;
  std::size_t split_ = 0;
  char decimal_ = '.';
  CsvColumns columns_;
  std::int64_t line_ = 0;
  std::vector<float> values_;  // of a row
};

}  // namespace quadgate
