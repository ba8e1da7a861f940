#include "io/importers/csv_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/text.h"
#include "io/importers/timestamp.h"

namespace quadgate {
namespace {

// Whether a record holds values, so that it cannot be the columns' names.
bool is_values(const std::vector<std::string>& record, char decimal) {
  bool has_number = false;
  for (const std::string& field : record) {
    const bool number = parse_decimal(field, decimal).has_value();
    if (!number && !is_missing(field) && !parse_timestamp(field)) return false;
    has_number = has_number || number;
  }
  return has_number;
}

void expect_different(std::vector<std::string> names, std::string_view where) {
  std::ranges::sort(names);  // a line may have millions
  const auto twice = std::ranges::adjacent_find(names);
  if (!names.front().empty() && twice == names.end()) return;
  throw FileError(
      fmt::format("{}: expected names that differ from each other, found '{}' twice or empty",
                  where, names.front().empty() ? names.front() : *twice));
}

}  // namespace

std::optional<double> parse_decimal(std::string_view text, char decimal) {
  if (decimal == '.') return parse_number(text);
  constexpr std::size_t kLongest = 64;
  const std::size_t at = text.find(decimal);
  if (text.size() > kLongest || text.find('.') != std::string_view::npos) return {};
  if (at == std::string_view::npos) return parse_number(text);
  std::array<char, kLongest> copy{};
  std::ranges::copy(text, copy.begin());
  copy.at(at) = '.';
  return parse_number({copy.data(), text.size()});
}

CsvColumns find_csv_columns(const std::vector<std::string>& first,
                            const std::vector<std::string>& second, char decimal,
                            const CsvColumnOptions& options, std::string_view where) {
  CsvColumns columns;
  columns.has_header = !is_values(first, decimal);
  columns.names = first;
  for (std::size_t i = 0; i < first.size() && !columns.has_header; ++i) {
    columns.names[i] = std::to_string(i);
  }
  const std::vector<std::string>& values = columns.has_header ? second : first;
  const auto index_of = [&](const char* option, const std::string& name) {
    const auto found = std::ranges::find(columns.names, name);
    if (found == columns.names.end()) {
      throw InvalidArgument(fmt::format("{}: expected one of the columns {}, found '{}'", option,
                                        fmt::join(columns.names, ", "), name));
    }
    return static_cast<std::size_t>(found - columns.names.begin());
  };
  if (!options.group.empty()) columns.group = index_of("group", options.group);
  if (!options.time.empty()) {
    columns.time = index_of("time", options.time);
  } else if (columns.group != 0U && !values.empty() && !is_missing(values[0]) &&
             !parse_decimal(values[0], decimal)) {
    columns.time = 0;
  }
  for (const std::string& name : options.features) {
    columns.features.push_back(index_of("columns", name));
  }
  for (std::size_t i = 0; i < columns.names.size() && options.features.empty(); ++i) {
    if (i != columns.time && i != columns.group) columns.features.push_back(i);
  }
  if (columns.features.empty()) {
    throw FileError(fmt::format("{}: expected a column of numbers beside the time stamp", where));
  }
  std::vector<std::string> read;
  for (const std::size_t i : columns.features) read.push_back(columns.names[i]);
  expect_different(std::move(read), where);
  return columns;
}

}  // namespace quadgate
