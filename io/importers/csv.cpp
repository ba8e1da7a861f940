#include "io/importers/csv.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_reader.h"
#include "io/importers/timestamp.h"

namespace quadgate {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostValues = 1 << 16;  // written at a time
constexpr double kNoTime = -std::numeric_limits<double>::infinity();

/// A record that is kept.
struct Record {
  std::vector<std::string> fields;
  std::int64_t line = 0;
};

/// The next records, `count` at most.
std::vector<Record> take_records(CsvReader& reader, std::size_t count) {
  std::vector<Record> records;
  while (records.size() < count && reader.next()) {
    const auto& fields = reader.fields();
    records.push_back({{fields.begin(), fields.end()}, reader.line()});
  }
  return records;
}

}  // namespace

MissingPolicy missing_policy_from_name(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames{"error", "drop", "forward", "mean"};
  const auto* const found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    throw InvalidArgument(
        fmt::format("missing: expected one of {}, found '{}'", fmt::join(kNames, ", "), name));
  }
  return static_cast<MissingPolicy>(found - kNames.begin());
}

CsvImporter::CsvImporter(CsvOptions options, ImportOptions import)
    : options_(std::move(options)),
      import_(std::move(import)),
      series_({}, import_.spool),
      series_of_rows_(import_.spool) {
  if (options_.valid_from && options_.test_from && *options_.test_from < *options_.valid_from) {
    throw InvalidArgument("test_from: expected a time not before valid_from");
  }
}

void CsvImporter::read(const std::filesystem::path& path, std::size_t split) {
  if (split != 0 && (options_.valid_from || options_.test_from)) {
    throw InvalidArgument(
        fmt::format("{}: a file of another split, where times divide the rows", path.string()));
  }
  path_ = path;
  split_ = split;
  CsvReader reader(path, options_.delimiter, options_.decimal, import_);
  decimal_ = reader.dialect().decimal;
  const std::vector<Record> first = take_records(reader, 2);
  if (first.empty()) fail_empty();
  line_ = first[0].line;
  set_columns(find_csv_columns(first[0].fields, first.back().fields, decimal_, options_.columns,
                               fmt::format("{}:{}", path.string(), line_)));
  const std::int64_t before = rows_;
  for (std::size_t i = columns_.has_header ? 1 : 0; i < first.size(); ++i) {
    line_ = first[i].line;
    add({first[i].fields.begin(), first[i].fields.end()});
  }
  while (reader.next()) {
    line_ = reader.line();
    add(reader.fields());
  }
  if (rows_ == before) fail_empty();
}

void CsvImporter::set_columns(CsvColumns columns) {
  std::vector<std::string> names;
  for (const std::size_t i : columns.features) names.push_back(columns.names[i]);
  if (series_.feature_names.empty()) {
    series_.path = path_;
    series_.feature_names = names;
    values_.resize(names.size());
  }
  if (names != series_.feature_names) {
    throw InvalidArgument(fmt::format("{}: expected columns {}, as in {}, found {}", path_.string(),
                                      fmt::join(series_.feature_names, ", "), series_.path.string(),
                                      fmt::join(names, ", ")));
  }
  columns_ = std::move(columns);
}

void CsvImporter::add(const Fields& fields) {
  if (fields.size() != columns_.names.size()) {
    fail(fmt::format("expected {} fields, as in the first line, found {}", columns_.names.size(),
                     fields.size()));
  }
  ++rows_;
  const std::size_t number = number_of_series(fields);
  const std::size_t split = split_of(fields, number);
  if (!read_values(fields, last_values_[number])) return;
  ++series_.parts[number].rows.at(split);
  series_.x.append(values_);
  if (columns_.group) series_of_rows_.push_back(static_cast<std::int64_t>(number));
}

std::size_t CsvImporter::number_of_series(const Fields& fields) {
  const std::string_view name = columns_.group ? fields[*columns_.group] : std::string_view();
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  if (columns_.group && name.empty()) fail_field(*columns_.group, "the name of a series", name);
  const std::size_t number = numbers_.size();
  numbers_.emplace(name, number);
  series_.parts.push_back({.name = std::string(name)});
  last_values_.emplace_back(values_.size(), kMissing);
  last_times_.push_back(kNoTime);
  return number;
}

// Of the row, by its time or the file's.
std::size_t CsvImporter::split_of(const Fields& fields, std::size_t number) {
  if (!columns_.time) {
    if (options_.valid_from || options_.test_from) {
      fail("expected a column of times to divide the rows by");
    }
    return split_;
  }
  const std::string_view text = fields[*columns_.time];
  const auto time = parse_timestamp(text);
  if (!options_.valid_from && !options_.test_from) {
    if (time && *time < last_times_[number]) ++series_.steps_back;
    last_times_[number] = time.value_or(kNoTime);
    return split_;
  }
  if (!time) fail_field(*columns_.time, "a time like 2016-07-01 13:30", text);
  if (*time < last_times_[number])
    fail_field(*columns_.time, "a time not before that of the row before", text);
  last_times_[number] = *time;
  if (options_.test_from && *time >= *options_.test_from) return 2;
  return options_.valid_from && *time >= *options_.valid_from ? 1 : 0;
}

// Fills values_; false if the row is to be left out.
bool CsvImporter::read_values(const Fields& fields, std::vector<double>& last) {
  std::int64_t missing = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::string_view text = fields[columns_.features[i]];
    const auto number = parse_decimal(text, decimal_);
    if (!number && !is_missing(text)) fail_field(columns_.features[i], "a number", text);
    if (!number && options_.missing == MissingPolicy::error) {
      fail(fmt::format(
          "column '{}': expected a number, found '{}' (what is missing can be dropped or filled)",
          columns_.names[columns_.features[i]], text));
    }
    values_[i] = number.value_or(kMissing);
    missing += number ? 0 : 1;
  }
  if (missing > 0 && options_.missing == MissingPolicy::drop) {
    ++series_.dropped_rows;
    return false;
  }
  if (options_.missing == MissingPolicy::forward && !carry_forward(last)) return false;
  series_.filled_values += missing;
  return true;
}

// Takes values that are missing from the row before; false if that has none either.
bool CsvImporter::carry_forward(std::vector<double>& last) {
  bool whole = true;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (std::isnan(values_[i])) {
      values_[i] = last[i];
      whole = whole && !std::isnan(last[i]);
    }
    last[i] = values_[i];
  }
  if (!whole) ++series_.dropped_rows;
  return whole;
}

Series CsvImporter::take() {
  series_.fill_with_mean = options_.missing == MissingPolicy::mean;
  if (columns_.group) sort_by_series();
  return std::move(series_);
}

// Brings the rows of each series together, in their order, series after series.
void CsvImporter::sort_by_series() {
  std::vector<std::int64_t> next;  // row of each series
  std::int64_t begin = 0;
  for (const SeriesPart& part : series_.parts) {
    next.push_back(begin);
    begin += part.size();
  }
  SpooledFloats sorted(import_.spool);
  SpooledFloats::Reader x(series_.x);
  SpooledIntegers::Reader numbers(series_of_rows_);
  std::vector<double> rows;  // of one series that follow each other: one write
  std::size_t series = 0;
  const auto write = [&] {
    if (rows.empty()) return;
    const auto columns = std::ssize(values_);
    sorted.write(next[series] * columns, rows);
    next[series] += std::ssize(rows) / columns;
    rows.clear();
  };
  for (std::int64_t row = 0; row < series_of_rows_.size(); ++row) {
    const auto number = static_cast<std::size_t>(numbers.next());
    if (number != series || rows.size() >= kMostValues) write();
    series = number;
    x.read(values_);
    rows.insert(rows.end(), values_.begin(), values_.end());
  }
  write();
  series_.x = std::move(sorted);
}

void CsvImporter::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}:{}: {}", path_.string(), line_, problem));
}

void CsvImporter::fail_field(std::size_t column, const char* expected,
                             std::string_view found) const {
  fail(
      fmt::format("column '{}': expected {}, found '{}'", columns_.names[column], expected, found));
}

void CsvImporter::fail_empty() const {
  throw FileError(
      fmt::format("{}: expected a line of column names, then lines of numbers, found no numbers",
                  path_.string()));
}

}  // namespace quadgate
