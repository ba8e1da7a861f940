#include "io/importers/csv_dialect.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <tuple>

#include "io/importers/csv_numbers.h"
#include "io/importers/csv_record.h"
#include "io/importers/timestamp.h"

namespace quadgate {
namespace {

constexpr std::array kDelimiters{',', ';', '\t', '|'};

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, {}, [](unsigned char c) { return std::tolower(c); });
}

std::int64_t count_outside_quotes(std::string_view line, char wanted) {
  std::int64_t count = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (c == wanted && !quoted) ++count;
  }
  return count;
}

/// How well a delimiter cuts lines: the part of fields behind the first record that hold values,
/// then the fields of a record. Nothing where it cuts none, or not all into the same number of
/// fields.
std::tuple<double, std::size_t> fitness(std::span<const std::string> lines, char delimiter) {
  CsvRecord record(delimiter);
  std::size_t columns = 0;
  double fields = 0;
  double values = 0;
  for (const std::string& line : lines) {
    if (!record.add_line(line)) continue;
    if (columns == 0) {
      columns = record.fields().size();
      continue;
    }
    if (columns < 2 || record.fields().size() != columns) return {};
    fields += static_cast<double>(columns);
    values += static_cast<double>(std::ranges::count_if(record.fields(), is_value));
  }
  return {values / std::max(fields, 1.0), columns};
}

}  // namespace

bool is_missing(std::string_view field) noexcept {
  constexpr std::array<std::string_view, 15> kNames{
      "",     "na",  "n/a",  "nan",      "null",    "none",    "?",     "<na>",
      "-nan", "#na", "#n/a", "#n/a n/a", "1.#qnan", "-1.#ind", "1.#ind"};
  return std::ranges::any_of(
      kNames, [field](std::string_view name) { return equals_ignoring_case(field, name); });
}

bool is_value(std::string_view field) {
  return is_missing(field) || looks_like_number(field) || looks_like_time(field);
}

char detect_delimiter(std::span<const std::string> first_lines) {
  using Fitness = std::tuple<double, std::size_t>;
  const auto* const fittest = std::ranges::max_element(
      kDelimiters, {}, [&](char delimiter) { return fitness(first_lines, delimiter); });
  if (fitness(first_lines, *fittest) > Fitness{}) return *fittest;
  return *std::ranges::max_element(kDelimiters, {}, [&](char delimiter) {
    return first_lines.empty() ? 0 : count_outside_quotes(first_lines[0], delimiter);
  });
}

char delimiter_of_sep_line(std::string_view line) {
  constexpr std::string_view kTag = "sep=";
  if (line.size() > 2 && line.front() == '"' && line.back() == '"') {
    line = line.substr(1, line.size() - 2);
  }
  const bool is_sep =
      line.size() == kTag.size() + 1 && equals_ignoring_case(line.substr(0, kTag.size()), kTag);
  return is_sep ? line.back() : '\0';
}

}  // namespace quadgate
