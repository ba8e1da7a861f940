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

/// What becomes of a missing value (see is_missing).
enum class MissingPolicy : std::uint8_t {
  error,    ///< the file is refused
  drop,     ///< the row is left out
  forward,  ///< the value of the series' row before; rows without one are left out
  mean      ///< the mean of the column's training rows
};

/// "error", "drop", "forward" or "mean". Throws InvalidArgument for others.
MissingPolicy missing_policy_from_name(std::string_view name);

/// How tables are read.
struct CsvOptions {
  CsvColumnOptions columns{};
  std::optional<char> delimiter{};  ///< empty: the first lines tell
  std::optional<char> decimal{};    ///< empty: the first lines tell
  MissingPolicy missing = MissingPolicy::error;
  /// The valid and the test split begin at these times (see parse_timestamp).
  std::optional<double> valid_from{};
  std::optional<double> test_from{};
};

/// Reads series from tables in text, plain or gzipped. The first record names the columns, unless
/// it holds values. Each other record is a time step.
class CsvImporter {
 public:
  /// Throws InvalidArgument if test_from is before valid_from.
  explicit CsvImporter(CsvOptions options = {}, ImportOptions import = {});

  /// Reads a file. Its rows go on where those of the file before ended, and are of this split: 0
  /// train, 1 valid, 2 test; 0 where times divide them. Throws FileError ("a.csv:17: column 'OT':
  /// expected a number, found 'abc'"), InvalidArgument if the file lacks a column of the options.
  void read(const std::filesystem::path& path, std::size_t split = 0);
  /// Returns all that it has read. Throws FileError.
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
  bool read_values(const Fields& fields, std::vector<double>& last);
  bool carry_forward(std::vector<double>& last);
  void sort_by_series();
  [[noreturn]] void fail(const std::string& problem) const;
  [[noreturn]] void fail_field(std::size_t column, const char* expected,
                               std::string_view found) const;
  [[noreturn]] void fail_empty() const;

  CsvOptions options_;
  ImportOptions import_;
  Series series_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;  // of series
  SpooledIntegers series_of_rows_;                // [rows]: numbers of series, if a column tells
  std::vector<std::vector<double>> last_values_;  // by series; NaN: none yet
  std::vector<double> last_times_;
  std::int64_t rows_ = 0;  // read, those left out among them

  // The file that is being read:
  std::filesystem::path path_;
  std::size_t split_ = 0;
  char decimal_ = '.';
  CsvColumns columns_;
  std::int64_t line_ = 0;
  std::vector<double> values_;  // of a row
};

}  // namespace quadgate
