#include "io/importers/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_numbers.h"
#include "io/importers/csv_reader.h"
#include "io/importers/missing_filler.h"
#include "io/importers/resampler.h"
#include "io/importers/row_times.h"
#include "io/importers/series_rows.h"
#include "io/importers/static_values.h"
#include "io/importers/time_format.h"

namespace quadgate {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

bool is_unknown(double value) { return std::isnan(value); }

std::vector<std::string> names_of(const CsvColumns& columns,
                                  const std::vector<std::size_t>& which) {
  std::vector<std::string> names;
  names.reserve(which.size());
  for (const std::size_t i : which) names.push_back(columns.names[i]);
  return names;
}

}  // namespace

CsvImporter::CsvImporter(CsvOptions options, ImportOptions import)
    : options_(std::move(options)),
      import_(std::move(import)),
      series_({}, import_.spool),
      rows_(std::make_unique<SeriesRows>(import_.spool)),
      row_times_(std::make_unique<SeriesRows>(import_.spool)),
      statics_(std::make_unique<StaticValues>(options_.columns.statics, options_.statics)),
      times_(std::make_unique<RowTimes>(options_.valid_from, options_.test_from)),
      format_(std::make_unique<CsvNumbers>()) {}

CsvImporter::~CsvImporter() = default;

void CsvImporter::read(const std::filesystem::path& path, std::size_t split) {
  if (split != 0 && times_->has_borders()) {
    throw InvalidArgument(
        fmt::format("{}: a file of another split, where times divide the rows", path.string()));
  }
  path_ = path;
  split_ = split;
  CsvReader reader(path, options_.delimiter, import_);
  const auto first = reader.first_records();
  if (first.empty()) fail_empty();
  set_columns(find_csv_columns(first, options_.columns, path.string()));
  if (columns_.group == 0U) reader.take_no_comments();
  *format_ = CsvNumbers(reader.delimiter(), options_.decimal, columns_.names.size() == 1);
  for (const auto& record : std::span(first).subspan(columns_.has_header ? 1 : 0)) {
    if (record.size() != columns_.names.size()) continue;
    for (const std::size_t i : columns_.features) format_->learn(record[i]);
  }
  format_->assume(options_.usual_decimal);
  begin_times(first);
  if (recipe_.kind.empty()) begin_recipe();
  if (columns_.has_header) reader.next();
  bool is_empty = true;
  for (; reader.next(); is_empty = false) {
    line_ = reader.line();
    add(reader.fields());
  }
  if (is_empty) fail_empty();
  if (resampler_) resampler_->finish();
  tell_findings(reader);
}

void CsvImporter::set_columns(CsvColumns columns) {
  const std::vector<std::string> names = names_of(columns, columns.features);
  if (series_.feature_names.empty()) {
    series_.path = path_;
    series_.feature_names = names;
    values_.resize(names.size());
    if (!options_.resample.empty()) {
      resampler_ = std::make_unique<Resampler>(
          parse_time_step(options_.resample), values_.size(),
          [this](std::size_t number, double time, std::span<double> row) {
            take_step(number, time, row);
          });
    }
  }
  if (names != series_.feature_names) {
    throw DataError(fmt::format("{}: expected columns {}, as in {}, found {}", path_.string(),
                                join_names(series_.feature_names), series_.path.string(),
                                join_names(names)));
  }
  columns_ = std::move(columns);
}

void CsvImporter::begin_times(const std::vector<std::vector<std::string>>& first) {
  const bool needs_times = needs_every_time() || options_.date_order;
  if (!columns_.time) {
    if (!needs_times) return;
    const char* const use = resampler_                  ? "to resample the rows by"
                            : times_->has_borders()     ? "to divide the rows by"
                            : options_.calendar.empty() ? "for --date-order"
                                                        : "for --calendar";
    throw InvalidArgument(
        fmt::format("{}: expected a column of times {} (--time names it)", path_.string(), use));
  }
  std::vector<std::string_view> values;
  for (std::size_t i = columns_.has_header ? 1 : 0; i < first.size(); ++i) {
    if (*columns_.time < first[i].size()) values.push_back(first[i][*columns_.time]);
  }
  if (values.empty()) fail_empty();
  TimeFormat format(values, options_.date_order);
  if (format.is_ambiguous()) format = TimeFormat(values, options_.usual_date_order);
  const std::string& name = columns_.names[*columns_.time];
  if (options_.date_order && !format.has_year_last()) {
    throw InvalidArgument(
        fmt::format("{}: --date-order: expected dates like 1/7/2016, found {} in column '{}'",
                    path_.string(), format.name(), name));
  }
  if (needs_times && format.is_ambiguous()) {
    throw InvalidArgument(
        fmt::format("{}: column '{}': dates like {} may have the day or the month first: say "
                    "--date-order day-first or month-first",
                    path_.string(), name, values.front()));
  }
  if ((resampler_ || !options_.calendar.empty()) && !format.is_calendar()) {
    throw InvalidArgument(fmt::format("{}: {}: expected times, found {} in column '{}'",
                                      path_.string(), resampler_ ? "--resample" : "--calendar",
                                      format.name(), name));
  }
  times_->begin(path_, name, format);
}

bool CsvImporter::needs_every_time() const {
  return times_->has_borders() || resampler_ || !options_.calendar.empty();
}

void CsvImporter::begin_recipe() {
  recipe_.kind = "csv";
  recipe_.missing = to_string(options_.missing);
  recipe_.resample = options_.resample;
  recipe_.calendar = options_.calendar;
  if (columns_.group) recipe_.group = columns_.names[*columns_.group];
  if (!columns_.time) return;
  recipe_.time = columns_.names[*columns_.time];
  recipe_.time_format = times_->format().name();
}

Recipe CsvImporter::recipe(const TimeStep& usual) const {
  Recipe recipe = recipe_;
  recipe.statics = statics_->columns();
  const TimeFormat& format = times_->format();
  if (const auto decimal = format_->decimal()) recipe.decimal = *decimal;
  if (format.has_year_last() && !format.is_ambiguous()) {
    recipe.date_order = format.name() == "dates, day first" ? "day-first" : "month-first";
  }
  if (!row_times_) return recipe;
  recipe.other_steps = series_.dropped_rows;
  if (resampler_) {
    recipe.step = {TimeStep::Unit::seconds, parse_time_step(options_.resample)};
    return recipe;
  }
  const TimeSteps& steps = times_->steps();
  const bool is_usual = usual.is_known() && 2 * steps.others(usual) <= steps.size();
  recipe.step = is_usual ? usual : steps.step(format.is_calendar());
  recipe.other_steps += steps.others(recipe.step);
  return recipe;
}

void CsvImporter::tell_findings(const CsvReader& reader) {
  constexpr std::size_t kMostNames = 8;
  const auto tell = [&](const CsvColumns& of, const std::vector<std::size_t>& which) {
    return join_names(names_of(of, which), kMostNames);
  };
  const char delimiter = reader.delimiter();
  std::string found = fmt::format(
      "{}: fields between {}, {}", path_.string(),
      delimiter == '\t' ? std::string("tabs") : fmt::format("'{}'", delimiter), format_->about());
  found += columns_.time ? fmt::format(", time '{}' ({})", columns_.names[*columns_.time],
                                       times_->format().name())
                         : ", no times";
  if (!columns_.has_header) found += ", no line of names";
  found += ", features " + tell(columns_, columns_.features);
  if (!columns_.left_out.empty()) {
    found += fmt::format("; left out: {} (row numbers)", tell(columns_, columns_.left_out));
  }
  if (reader.comments() > 0) found += fmt::format("; {} lines of comments", reader.comments());
  findings_.files.push_back(found);
  if (!columns_.time_like.empty()) {
    findings_.warnings.push_back(fmt::format(
        "{}: read as features, though they look like time: {} (--columns chooses features, "
        "--time tells which is the time)",
        path_.string(), tell(columns_, columns_.time_like)));
  }
  if (columns_.time && times_->format().is_ambiguous()) {
    findings_.warnings.push_back(
        fmt::format("{}: column '{}' is not read: its dates may have the day or the month first "
                    "(--date-order tells)",
                    path_.string(), columns_.names[*columns_.time]));
  }
  if (columns_.time && times_->format().name() == "text") {
    findings_.warnings.push_back(
        fmt::format("{}: column '{}' is not read: it holds no times or numbers (--group makes a "
                    "series of the rows of each name)",
                    path_.string(), columns_.names[*columns_.time]));
  }
}

void CsvImporter::add(const Fields& fields) {
  if (fields.size() != columns_.names.size()) {
    fail(fmt::format("expected {} fields, as in the first line, found {}", columns_.names.size(),
                     fields.size()));
  }
  const std::size_t number = number_of_series(fields);
  const auto time = time_of(fields, number);
  read_statics(fields, number);
  read_values(fields);
  if (!resampler_) {
    take_row(number, time && times_->has_borders() ? times_->split_of(*time) : split_, time,
             values_);
  } else if (const std::string problem = resampler_->add(number, time.value(), values_);
             !problem.empty()) {
    fail_field(*columns_.time, problem, fields[*columns_.time]);
  }
}

std::size_t CsvImporter::number_of_series(const Fields& fields) {
  const std::string_view name = columns_.group ? fields[*columns_.group] : std::string_view();
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  if (columns_.group && name.empty()) fail_field(*columns_.group, "the name of a series", name);
  const std::size_t number = numbers_.size();
  numbers_.emplace(name, number);
  series_.parts.push_back({.name = std::string(name)});
  fillers_.emplace_back(options_.missing, values_.size());
  future_.emplace_back();
  return number;
}

// The time of a row, if it has one.
std::optional<double> CsvImporter::time_of(const Fields& fields, std::size_t number) {
  if (!columns_.time) return {};
  const std::string_view text = fields[*columns_.time];
  const TimeFormat& format = times_->format();
  const auto time = format.parse(text);
  if (time) {
    if (const char* expected = times_->add(number, *time)) {
      fail_field(*columns_.time, expected, text);
    }
  } else if (needs_every_time() || options_.has_step) {
    fail_field(*columns_.time,
               format.is_calendar()
                   ? fmt::format("a time ({}), as in the first rows", format.name())
                   : "a number, as in the first rows",
               text);
  }
  return time;
}

void CsvImporter::read_statics(const Fields& fields, std::size_t number) {
  for (std::size_t i = 0; i < columns_.statics.size(); ++i) {
    const std::string_view text = fields[columns_.statics[i]];
    const std::string expected = statics_->add(number, i, text, *format_);
    if (expected.empty()) continue;
    const std::string& series = series_.parts[number].name;
    fail(fmt::format("{}column '{}': expected {}, found '{}' (--static: one value a series)",
                     series.empty() ? "" : fmt::format("series '{}': ", series),
                     columns_.names[columns_.statics[i]], expected, text));
  }
}

// Whether only the known columns have values, and all of them.
bool CsvImporter::is_of_future(std::span<const double> row) const {
  if (options_.columns.known.empty()) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (columns_.are_known[i] == std::isnan(row[i])) return false;
  }
  return true;
}

// Whether a row lacks values that it has to have.
bool CsvImporter::lacks_values(std::span<const double> row) const {
  return options_.missing == MissingPolicy::error && std::ranges::any_of(row, is_unknown) &&
         !is_of_future(row);
}

// Fills values_.
void CsvImporter::read_values(const Fields& fields) {
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const std::string_view text = fields[columns_.features[i]];
    const auto number = format_->parse(text);
    if (!number && !is_missing(text)) {
      fail_field(columns_.features[i], format_->expected(text), text);
    }
    values_[i] = number.value_or(kMissing);
  }
  if (!lacks_values(values_)) return;
  const auto missing = std::ranges::find_if(values_, is_unknown) - values_.begin();
  const std::size_t column = columns_.features[static_cast<std::size_t>(missing)];
  fail(fmt::format(
      "column '{}': expected a number, found '{}' (--missing drops or fills what is missing)",
      columns_.names[column], fields[column]));
}

// Takes a row of resampled ones.
void CsvImporter::take_step(std::size_t number, double time, std::span<double> row) {
  if (lacks_values(row)) {
    throw FileError(
        fmt::format("{}: --resample {}: no row is from {} to the next step (--missing "
                    "drops or fills what is missing)",
                    path_.string(), options_.resample, times_->format().format(time)));
  }
  take_row(number, times_->has_borders() ? times_->split_of(time) : split_, time, row);
}

// NaN is what is missing. Rows of the future wait: others behind them make them rows like these.
void CsvImporter::take_row(std::size_t number, std::size_t split, std::optional<double> time,
                           std::span<double> row) {
  FutureRows& future = future_[number];
  if (is_of_future(row)) {
    future.push_back({{row.begin(), row.end()}, time, split, line_});
    return;
  }
  for (FutureRow& waiting : future) {
    if (options_.missing == MissingPolicy::error) {
      line_ = waiting.line;
      fail(
          fmt::format("column '{}': expected a number, as rows with numbers follow (--missing "
                      "drops or fills what is missing)",
                      first_unknown_column()));
    }
    take_whole_row(number, waiting.split, waiting.time, waiting.values);
  }
  future.clear();
  take_whole_row(number, split, time, row);
}

std::string CsvImporter::first_unknown_column() const {
  const auto unknown = std::ranges::find(columns_.are_known, false) - columns_.are_known.begin();
  return columns_.names[columns_.features[static_cast<std::size_t>(unknown)]];
}

void CsvImporter::take_whole_row(std::size_t number, std::size_t split, std::optional<double> time,
                                 std::span<double> row) {
  ++read_rows_.at(split);
  if (!fillers_[number].keep(row)) {
    ++series_.dropped_rows;
    return;
  }
  ++series_.parts[number].rows.at(split);
  rows_->append(number, row);
  if (!time || std::abs(*time) > kLargestTime) row_times_.reset();
  if (row_times_) row_times_->append(number, std::array{*time});
}

// What nobody knows of the future is 0.
void CsvImporter::take_future() {
  for (std::size_t number = 0; number < future_.size(); ++number) {
    for (FutureRow& row : future_[number]) {
      ++series_.parts[number].future_rows;
      std::ranges::replace_if(row.values, is_unknown, 0);
      rows_->append(number, row.values);
      if (!row.time || std::abs(*row.time) > kLargestTime) row_times_.reset();
      if (row_times_) row_times_->append(number, std::array{*row.time});
    }
  }
}

Series CsvImporter::take() {
  times_->expect_all_splits();
  expect_rows_left();
  series_.fill_with_mean = options_.missing == MissingPolicy::mean;
  for (const MissingFiller& filler : fillers_) series_.filled_values += filler.filled();
  series_.steps_back = times_->steps_back();
  series_.same_times = times_->steps().doubles();
  series_.time_gaps = times_->steps().gaps();
  series_.calendar = options_.calendar;
  series_.known = options_.columns.known;
  series_.statics = statics_->columns();
  take_future();
  for (std::size_t number = 0; number < series_.parts.size(); ++number) {
    SeriesPart& part = series_.parts[number];
    if (part.size() > 0) part.constants = statics_->constants(number, series_.path, part.name);
  }
  series_.x = rows_->take(series_.parts, values_.size());
  if (row_times_) series_.times = row_times_->take(series_.parts, 1);
  std::erase_if(series_.parts, [](const SeriesPart& part) { return part.size() == 0; });
  return std::move(series_);
}

void CsvImporter::expect_rows_left() const {
  constexpr std::array kSplits{"train", "valid", "test"};
  for (std::size_t split = 0; split < kSplits.size(); ++split) {
    const auto is_of_split = [&](const SeriesPart& part) { return part.rows.at(split) > 0; };
    if (read_rows_.at(split) == 0 || std::ranges::any_of(series_.parts, is_of_split)) continue;
    throw FileError(
        fmt::format("{}: --missing {}: left out all {} rows of the {} split, as each lacks a value",
                    series_.path.string(), to_string(options_.missing), read_rows_.at(split),
                    kSplits.at(split)));
  }
}

void CsvImporter::fail(const std::string& problem) const {
  throw FileError(fmt::format("{}:{}: {}", path_.string(), line_, problem));
}

void CsvImporter::fail_field(std::size_t column, std::string_view expected,
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
