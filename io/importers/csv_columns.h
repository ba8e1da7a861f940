#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// Which columns of a table are read, by name.
struct CsvColumnOptions {
  std::vector<std::string> features{};  ///< in this order; empty: all but time and group
  std::string time{};   ///< tells a row's time; empty: the first column, if it is not of numbers
  std::string group{};  ///< names a row's series; empty: all rows are one series
  std::vector<std::string> statics{};  ///< have one value a series, and are no features
  std::vector<std::string> known{};    ///< features that are known of the future, too
  bool are_known = false;              ///< `features` are those that a model or data set knows
};

/// The columns of a table and what they are for.
struct CsvColumns {
  std::vector<std::string> names;     ///< "0", "1", ... if the table has none
  bool has_header = true;             ///< the first record is the names
  std::vector<std::size_t> features;  ///< indices
  std::optional<std::size_t> time;
  std::optional<std::size_t> group;
  std::vector<std::size_t> statics;
  std::vector<bool> are_known;         ///< [features]
  std::vector<std::size_t> left_out;   ///< columns of row numbers, which have no name of their own
  std::vector<std::size_t> time_like;  ///< features nobody chose that look like times

  std::vector<std::string> names_of(std::span<const std::size_t> columns) const;
};

/// Finds the columns from a table's first records. The first record is names, unless all of its
/// fields are numbers, times or missing; numbers that count the columns, as pandas names them, are
/// names. A first column without a name, or one called "Unnamed: 0", is pandas' index: it is left
/// out if it holds numbers and is not asked for. `where` stands for the file in messages. Throws
/// FileError if a name is empty or comes twice, or if no feature is left; InvalidArgument if the
/// table lacks a column of the options, DataError if these are of known data.
CsvColumns find_csv_columns(std::span<const std::vector<std::string>> first_records,
                            const CsvColumnOptions& options, std::string_view where);

/// Names with commas between them, in double quotes where one has a comma or a quote of its own, as
/// split_names takes them. Of more than `most` it gives the first.
std::string join_names(std::span<const std::string> names, std::size_t most = 64);

/// Cuts "a,\"b, c\"" into names.
std::vector<std::string> split_names(std::string_view names);

}  // namespace quadgate
