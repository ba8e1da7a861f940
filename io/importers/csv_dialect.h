#pragma once

#include <optional>
#include <string_view>

namespace quadgate {

/// How a table separates fields and writes numbers.
struct CsvDialect {
  char delimiter = ',';  ///< between fields
  char decimal = '.';    ///< before a number's fraction
};

/// Whether a field stands for a missing value: empty, "NA", "N/A", "NaN", "null", "None" or "?", in
/// upper or lower case.
bool is_missing(std::string_view field) noexcept;

/// Guesses the dialect from a file's first lines. The delimiter is `given`, or the one of , ; tab |
/// that the first line has most of outside quotes. The decimal sign is a comma if the delimiter is
/// another one, and the lines have numbers like 1,5 and none like 1.5.
CsvDialect detect_csv_dialect(std::string_view first_lines, std::optional<char> given = {});

}  // namespace quadgate
