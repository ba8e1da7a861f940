#include "io/importers/csv_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <system_error>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_numbers.h"
#include "io/importers/csv_record.h"
#include "io/importers/time_format.h"
#include "io/importers/timestamp.h"

namespace quadgate {
namespace {

using Records = std::span<const std::vector<std::string>>;

/// Whether fields count: 0, 1, 2, ..., or on from any other number.
bool count_up(std::span<const std::string> fields, bool from_zero) {
  std::size_t next = 0;
  const std::string& first = fields[0];
  const auto [end, error] = std::from_chars(first.data(), first.data() + first.size(), next);
  if (error != std::errc() || end != first.data() + first.size() || (from_zero && next != 0)) {
    return false;
  }
  return std::ranges::all_of(
      fields, [&](const std::string& field) { return field == std::to_string(next++); });
}

// Whether columns that had no names got numbers for names, as pandas writes them. Two numbers may
// also be a first row, and so may more if the second one counts, too.
bool are_counted_names(Records records) {
  constexpr std::size_t kFewest = 3;
  const std::span<const std::string> first(records[0]);
  if (first.size() > 1 && first[0].empty()) return count_up(first.subspan(1), true);
  return first.size() >= kFewest && count_up(first, true) &&
         !(records.size() > 1 && !records[1].empty() && count_up(records[1], false));
}

// Whether the first record holds values, so that it cannot be the columns' names.
bool begins_with_values(Records records) {
  bool has_number = false;
  for (const std::string& field : records[0]) {
    const bool number = looks_like_number(field);
    if (!number && !is_missing(field) && !looks_like_time(field)) return false;
    has_number = has_number || number;
  }
  return has_number && !are_counted_names(records);
}

void expect_different(std::vector<std::string> names, std::string_view where) {
  std::ranges::sort(names);  // a line may have millions
  const auto twice = std::ranges::adjacent_find(names);
  if (!names.front().empty() && twice == names.end()) return;
  throw FileError(
      fmt::format("{}: expected names that differ from each other, found '{}' twice or empty",
                  where, names.front().empty() ? names.front() : *twice));
}

bool is_named_by_pandas(std::string_view name) { return name.starts_with("Unnamed: "); }

/// Whether a name is one of parts of a date, as "year" or "Hour".
bool is_name_of_time(std::string_view name) {
  constexpr std::array<std::string_view, 22> kNames{
      "year",      "yr",    "quarter", "month",     "mon",      "week",   "weekday", "dayofweek",
      "dayofyear", "day",   "hour",    "hr",        "minute",   "second", "date",    "time",
      "datetime",  "epoch", "ts",      "timestamp", "unixtime", "unix"};
  std::string letters;
  for (const char c : name) {
    const auto letter = static_cast<unsigned char>(c);
    if (c != '_' && c != ' ') letters += static_cast<char>(std::tolower(letter));
  }
  return std::ranges::find(kNames, letters) != kNames.end();
}

/// A field of the first record of values that has one there.
std::string_view sample_of(Records records, bool has_header, std::size_t column) {
  for (const auto& record : records.subspan(has_header ? 1 : 0)) {
    if (column < record.size() && !is_missing(record[column])) return record[column];
  }
  return {};
}

/// Whether a column of numbers holds dates like 20160701 or seconds since 1970, each after the
/// other.
bool holds_times(const CsvColumns& columns, Records records, std::size_t column) {
  std::vector<std::string_view> values;
  for (const auto& record : records.subspan(columns.has_header ? 1 : 0)) {
    if (column < record.size()) values.emplace_back(record[column]);
  }
  const TimeFormat format(values);
  if (values.size() < 2 || !format.is_calendar() || format.is_of_days()) return false;
  return std::ranges::adjacent_find(values, [&](std::string_view a, std::string_view b) {
           return format.parse(a) >= format.parse(b);
         }) == values.end();
}

std::size_t index_of(const CsvColumns& columns, const char* option, const std::string& name,
                     std::string_view where, bool is_known = false) {
  const auto found = std::ranges::find(columns.names, name);
  if (found == columns.names.end() && is_known) {
    throw DataError(
        fmt::format("{}: expected a column '{}', as the data have it that it shall be like, found "
                    "only {}{}",
                    where, name, join_names(columns.names),
                    columns.has_header ? "" : " (the first line holds values, and no names)"));
  }
  if (found == columns.names.end()) {
    throw InvalidArgument(fmt::format("{}: {}: expected one of the columns {}, found '{}'", where,
                                      option, join_names(columns.names), name));
  }
  return static_cast<std::size_t>(found - columns.names.begin());
}

/// Whether a column is pandas' index, a number a row: it has no name of its own.
bool is_row_numbers(const CsvColumns& columns, Records records, std::size_t column) {
  return columns.has_header && is_named_by_pandas(columns.names[column]) &&
         looks_like_number(sample_of(records, columns.has_header, column));
}

/// The first column, but for row numbers and the series' names, if it holds no numbers; if it is
/// not the very first, it must hold times.
std::optional<std::size_t> find_time(const CsvColumns& columns, Records records) {
  std::size_t i = 0;
  while (i == columns.group || (i < columns.names.size() && is_row_numbers(columns, records, i)))
    ++i;
  const std::string_view value = sample_of(records, columns.has_header, i);
  if (value.empty() || looks_like_number(value) || (i > 0 && !looks_like_time(value))) return {};
  return i;
}

/// The features: those of the options, else all that are for nothing else.
void choose_features(CsvColumns& columns, const CsvColumnOptions& options, Records records,
                     std::string_view where) {
  for (const std::string& name : options.features) {
    columns.features.push_back(index_of(columns, "columns", name, where, options.are_known));
  }
  if (!options.features.empty()) return;
  for (std::size_t i = 0; i < columns.names.size(); ++i) {
    if (i == columns.time || i == columns.group) continue;
    if (std::ranges::find(columns.statics, i) != columns.statics.end()) continue;
    if (is_row_numbers(columns, records, i)) {
      columns.left_out.push_back(i);
      continue;
    }
    columns.features.push_back(i);
    if (is_name_of_time(columns.names[i]) || holds_times(columns, records, i)) {
      columns.time_like.push_back(i);
    }
  }
}

/// Which features are known of the future, too.
void choose_known(CsvColumns& columns, const CsvColumnOptions& options, std::string_view where) {
  columns.are_known.assign(columns.features.size(), false);
  for (const std::string& name : options.known) {
    const std::size_t column = index_of(columns, "--known", name, where, options.are_known);
    const auto feature = std::ranges::find(columns.features, column);
    if (feature == columns.features.end()) {
      throw InvalidArgument(
          fmt::format("{}: --known: expected columns that are features, found '{}'", where, name));
    }
    columns.are_known[static_cast<std::size_t>(feature - columns.features.begin())] = true;
  }
  if (!options.known.empty() &&
      std::ranges::find(columns.are_known, false) == columns.are_known.end()) {
    throw InvalidArgument(
        fmt::format("{}: --known: expected a column beside them to forecast, found none", where));
  }
}

}  // namespace

std::vector<std::string> CsvColumns::names_of(std::span<const std::size_t> columns) const {
  std::vector<std::string> found;
  found.reserve(columns.size());
  for (const std::size_t column : columns) found.push_back(names[column]);
  return found;
}

CsvColumns find_csv_columns(Records records, const CsvColumnOptions& options,
                            std::string_view where) {
  CsvColumns columns;
  columns.has_header = !begins_with_values(records);
  columns.names = records[0];
  for (std::size_t i = 0; i < columns.names.size() && !columns.has_header; ++i) {
    columns.names[i] = std::to_string(i);
  }
  if (columns.names.size() > 1 && columns.names[0].empty()) columns.names[0] = "Unnamed: 0";
  if (!options.group.empty()) {
    columns.group = index_of(columns, "group", options.group, where, options.are_known);
  }
  columns.time = options.time.empty()
                     ? find_time(columns, records)
                     : index_of(columns, "time", options.time, where, options.are_known);
  for (const std::string& name : options.statics) {
    columns.statics.push_back(index_of(columns, "--static", name, where, options.are_known));
  }
  choose_features(columns, options, records, where);
  choose_known(columns, options, where);
  if (columns.features.empty()) {
    throw FileError(fmt::format("{}: expected a column of numbers beside the time stamp", where));
  }
  std::vector<std::string> read;
  for (const std::size_t i : columns.features) read.push_back(columns.names[i]);
  expect_different(std::move(read), where);
  return columns;
}

std::string join_names(std::span<const std::string> names, std::size_t most) {
  std::string joined;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) {
    if (i > 0) joined += ", ";
    if (names[i].find_first_of(",\"") == std::string::npos) {
      joined += names[i];
      continue;
    }
    joined += '"';
    for (const char c : names[i]) joined.append(c == '"' ? 2 : 1, c);
    joined += '"';
  }
  if (names.size() > most) joined += fmt::format(", ... ({} in all)", names.size());
  return joined;
}

std::vector<std::string> split_names(std::string_view names) {
  CsvRecord record(',');
  if (!record.add_line(names)) {
    throw InvalidArgument(
        fmt::format("expected names with commas between them, found '{}'", names));
  }
  return {record.fields().begin(), record.fields().end()};
}

}  // namespace quadgate
