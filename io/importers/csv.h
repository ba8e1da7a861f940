#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/data/recipe.h"
#include "io/importers/csv_columns.h"
#include "io/importers/date_order.h"
#include "io/importers/import_options.h"
#include "io/importers/missing_policy.h"
#include "io/prepare/series_writer.h"

namespace quadgate {

class CsvNumbers;
class CsvReader;
class CsvTimes;
class Resampler;
class SeriesBuilder;
class StaticValues;

/// How tables are read.
struct CsvOptions {
  CsvColumnOptions columns{};
  std::optional<char> delimiter{};  ///< empty: the first lines tell
  std::optional<char> decimal{};    ///< empty: the first lines tell
  MissingPolicy missing = MissingPolicy::error;
  /// The valid and the test split begin at these times: dates like "2016-07-01 13:30", or written
  /// as the table's times are. Empty: times do not divide the rows.
  std::string valid_from{};
  std::string test_from{};
  /// Of dates like 1/7/2016; empty: a day above 12 in the first lines tells.
  std::optional<DateOrder> date_order{};
  /// A step like "15min" that rows become the means of (see Resampler); empty: rows stay as they
  /// are.
  std::string resample{};
  /// Parts of each row's time that are features (see calendar_parts).
  std::vector<std::string> calendar{};
  /// A column of times has one in each row, as a model's step goes on with them.
  bool has_step = false;
  /// How far rows of the future are behind the row before each; unknown: later ones.
  TimeStep future_step{};
  /// What columns.statics hold, where it is known.
  std::vector<StaticColumn> statics{};
  /// Signs and order of dates where neither these options nor the first lines tell them.
  std::optional<char> usual_decimal{};
  std::optional<DateOrder> usual_date_order{};
};

/// Windows of the rows of a series.
struct RowWindows {
  std::int64_t rows = 0;
  /// Rows from one window to the next. Above `rows`, a window waits for those behind it.
  std::int64_t stride = 1;
};

/// What it found in tables, a line each, for people.
struct CsvFindings {
  std::vector<std::string> files{};     ///< how each file is written, and what is read of it
  std::vector<std::string> warnings{};  ///< what may be meant otherwise
};

/// Reads series from tables in text, plain or gzipped. The first record names the columns, unless
/// it holds values. Each other record is a time step.
class CsvImporter {
 public:
  explicit CsvImporter(CsvOptions options = {}, ImportOptions import = {});
  ~CsvImporter();
  CsvImporter(const CsvImporter&) = delete;
  CsvImporter& operator=(const CsvImporter&) = delete;

  /// Reads a file. Its rows go on where those of the file before ended, and are of this split: 0
  /// train, 1 valid, 2 test; 0 where times divide them. Throws FileError ("a.csv:17: column 'OT':
  /// expected a number, found 'abc'"), DataError if its columns are not those of the file before
  /// or of known data, InvalidArgument if it lacks a column of the options, or if a border is no
  /// time as the file's column has them.
  void read(const std::filesystem::path& path, std::size_t split = 0);
  /// Reads a file of one series, in pieces if the options of the import say so: `take` gets the
  /// rows that have come once they hold windows that no piece before has had; each piece begins
  /// with the first row of the next window. Its rows have times if the options have a step, or if
  /// the table has no times, else there are no pieces. Throws as `read`; FileError also if the
  /// first rows tell otherwise how the table is written than those of them that came first.
  void read_in_pieces(const std::filesystem::path& path, const RowWindows& windows,
                      PieceTaker<Series> take);
  /// Reads a file of rows behind the last ones that it has read, of which it takes the known
  /// columns alone. Throws as `read`, and if one of them has no value in a row, or if a row is not
  /// the next one of its series.
  void read_future(const std::filesystem::path& path);
  /// Returns all that it has read. Throws FileError, InvalidArgument if a border, or what is left
  /// out since values are missing, leaves a split without rows.
  Series take();
  const CsvFindings& findings() const noexcept { return findings_; }
  /// What is wrong with the first row that is not in the order of time; empty if all are.
  const std::string& first_step_back() const noexcept;
  /// How the first file was read, and the step of the series, which is `usual` if half of the rows
  /// or more are so far behind the row before. Call it before `take`.
  Recipe recipe(const TimeStep& usual = {}) const;

 private:
  using Fields = std::vector<std::string_view>;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
  };

  void read_file(const std::filesystem::path& path, const CsvColumnOptions& columns);
  void expect_same_look(const CsvReader& reader);
  void hand_on(CsvReader& reader);
  void complete(Series& series) const;
  void set_columns(CsvColumns columns);
  void begin_recipe();
  void add(const Fields& fields);
  std::size_t number_of_series(const Fields& fields);
  void read_statics(const Fields& fields, std::size_t number);
  void read_values(const Fields& fields);
  void take_row(std::size_t number, std::optional<double> time, std::span<double> row);
  void take_step(std::size_t number, double time, std::span<double> row);
  [[noreturn]] void fail(const std::string& problem) const;
  [[noreturn]] void fail_field(std::size_t column, std::string_view expected,
                               std::string_view found) const;
  [[noreturn]] void fail_empty() const;

  CsvOptions options_;
  ImportOptions import_;
  CsvFindings findings_;
  Recipe recipe_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;  // of series
  std::unique_ptr<SeriesBuilder> rows_;
  std::unique_ptr<StaticValues> statics_;
  std::unique_ptr<CsvTimes> times_;
  std::unique_ptr<Resampler> resampler_;  // if rows are resampled

  // If it is read in pieces:
  RowWindows windows_;
  PieceTaker<Series> take_;
  std::size_t checked_lines_ = 0;  // of the first ones

  // The file that is being read:
  std::filesystem::path path_;
  std::size_t split_ = 0;
  bool is_future_ = false;              // only known columns count
  std::unique_ptr<CsvNumbers> format_;  // of numbers
  CsvColumns columns_;
  std::int64_t line_ = 0;
  std::vector<std::size_t> places_;  // of columns_.features in a row
  std::vector<double> values_;       // of a row
};

}  // namespace quadgate
