#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace quadgate {

/// Which columns of a table are read, by name.
struct CsvColumnOptions {
  std::vector<std::string> features{};  ///< in this order; empty: all but time and group
  std::string time{};   ///< tells a row's time; empty: the first column, if it is not of numbers
  std::string group{};  ///< names a row's series; empty: all rows are one series
};

/// The columns of a table and what they are for.
struct CsvColumns {
  std::vector<std::string> names;     ///< "0", "1", ... if the table has none
  bool has_header = true;             ///< the first record is the names
  std::vector<std::size_t> features;  ///< indices
  std::optional<std::size_t> time;
  std::optional<std::size_t> group;
};

/// Finds the columns from a table's first two records. The first record is names, unless all of its
/// fields are numbers, times or missing. `where` stands for the file in messages. Throws FileError
/// if a name is empty or comes twice, or if no feature is left; InvalidArgument if the table lacks
/// a column of the options.
CsvColumns find_csv_columns(const std::vector<std::string>& first,
                            const std::vector<std::string>& second, char decimal,
                            const CsvColumnOptions& options, std::string_view where);

/// The finite float32 that the text writes with this decimal sign, or empty.
std::optional<double> parse_decimal(std::string_view text, char decimal);

}  // namespace quadgate
