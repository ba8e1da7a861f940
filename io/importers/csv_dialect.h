#pragma once

#include <optional>
#include <string_view>

namespace quadgate {

/// How a file of separated values writes its lines.
struct CsvDialect {
  char delimiter = ',';  ///< between fields
  char decimal = '.';    ///< in front of a number's fraction
};

/// Whether a field stands for a value that is not there: empty, "NA", "N/A", "NaN", "null", "None"
/// or "?", in upper or lower case.
bool is_missing(std::string_view field) noexcept;

/// What a file's first lines look like. The delimiter is the one of , ; tab | that the first line
/// has most of outside quotes, unless one is given. The decimal sign is a comma if that is not the
/// delimiter, and the lines have numbers like 1,5 and none like 1.5.
CsvDialect detect_csv_dialect(std::string_view first_lines, std::optional<char> given = {});

}  // namespace quadgate
