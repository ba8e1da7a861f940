#pragma once

#include <span>
#include <string>
#include <string_view>

namespace quadgate {

/// Whether a field stands for a missing value: empty, "NA", "N/A", "NaN", "null", "None" or "?", in
/// upper or lower case, and the other forms that pandas knows, as "#N/A" and "<NA>".
bool is_missing(std::string_view field) noexcept;

/// Whether a field holds a number, a time or a missing value.
bool is_value(std::string_view field);

/// Guesses what divides the fields of a table from its first lines: the one of , ; tab | that cuts
/// all of them into the same number of fields, numbers, times and missing values if it can; else
/// the one that the first line has most of outside quotes.
char detect_delimiter(std::span<const std::string> first_lines);

/// The delimiter of a line like "sep=;", with which spreadsheets may begin a table; '\0' for
/// others.
char delimiter_of_sep_line(std::string_view line);

}  // namespace quadgate
