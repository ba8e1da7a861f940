#include "io/importers/csv_dialect.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "io/importers/csv_record.h"
#include "io/importers/text.h"

namespace quadgate {
namespace {

std::int64_t count_outside_quotes(std::string_view line, char wanted) {
  std::int64_t count = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == wanted && !quoted) ++count;
  }
  return count;
}

char detect_delimiter(std::string_view line) {
  constexpr std::array kDelimiters{',', ';', '\t', '|'};
  return *std::ranges::max_element(
      kDelimiters, {}, [line](char delimiter) { return count_outside_quotes(line, delimiter); });
}

// Digits around one `decimal`, a sign in front: 1,5 or -0,25.
bool is_fraction(std::string_view field, char decimal) {
  if (field.starts_with('-') || field.starts_with('+')) field.remove_prefix(1);
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  const std::size_t middle = field.find(decimal);
  return middle != std::string_view::npos && is_number(field.substr(0, middle)) &&
         is_number(field.substr(middle + 1));
}

}  // namespace

bool is_missing(std::string_view field) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"", "na", "n/a", "nan", "null", "none", "?"};
  return std::ranges::any_of(kNames, [field](std::string_view name) {
    return std::ranges::equal(field, name, {}, [](unsigned char c) { return std::tolower(c); });
  });
}

CsvDialect detect_csv_dialect(std::string_view first_lines, std::optional<char> given) {
  std::string_view rest = first_lines;
  const std::string_view first = cut(rest, '\n');
  const char delimiter = given.value_or(detect_delimiter(first));
  if (delimiter == ',') return {};
  rest = first_lines;  // the first line may have values, too
  CsvRecord record(delimiter);
  bool has_commas = false;
  while (!rest.empty()) {
    if (!record.add_line(cut(rest, '\n'))) continue;
    for (const std::string_view field : record.fields()) {
      if (is_fraction(field, '.')) return {delimiter, '.'};
      has_commas = has_commas || is_fraction(field, ',');
    }
  }
  return {delimiter, has_commas ? ',' : '.'};
}

}  // namespace quadgate
