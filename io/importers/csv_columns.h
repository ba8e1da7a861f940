#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// Which columns of a table are read, by their names.
struct CsvColumnOptions {
  std::vector<std::string> features{};  ///< in this order; empty: all but time and group
  std::string time{};   ///< of each row; empty: the first column, if it is not of numbers
  std::string group{};  ///< names the series that a row belongs to; empty: all are one series
};

/// The columns of a table and what they are for.
struct CsvColumns {
  std::vector<std::string> names;     ///< "0", "1", ... if the table does not name them
  bool has_header = true;             ///< whether its first record is the names
  std::vector<std::size_t> features;  ///< indices
  std::optional<std::size_t> time;
  std::optional<std::size_t> group;
};

/// From a table's first two records; the first one is names unless all of its fields are numbers,
/// times or missing. `where` stands for the file in messages. Throws FileError if names are empty
/// or come twice or no feature is left, InvalidArgument if a column of the options is not there.
CsvColumns find_csv_columns(const std::vector<std::string>& first,
                            const std::vector<std::string>& second, char decimal,
                            const CsvColumnOptions& options, std::string_view where);

/// A finite float32 written with this decimal sign, or empty.
std::optional<float> parse_decimal(std::string_view text, char decimal);

}  // namespace quadgate
