#include "io/importers/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_dialect.h"
#include "io/importers/csv_findings.h"
#include "io/importers/csv_look.h"
#include "io/importers/csv_numbers.h"
#include "io/importers/csv_reader.h"
#include "io/importers/csv_times.h"
#include "io/importers/resampler.h"
#include "io/importers/series_builder.h"
#include "io/importers/static_values.h"
#include "io/importers/time_format.h"

namespace quadgate {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

bool is_missing_value(double value) { return std::isnan(value); }

}  // namespace

CsvImporter::CsvImporter(CsvOptions options, ImportOptions import)
    : options_(std::move(options)),
      import_(std::move(import)),
      rows_(std::make_unique<SeriesBuilder>(options_.missing, import_.spool)),
      statics_(std::make_unique<StaticValues>(options_.columns.statics, options_.statics)),
      times_(std::make_unique<CsvTimes>(options_)),
      format_(std::make_unique<CsvNumbers>()) {}

CsvImporter::~CsvImporter() = default;

void CsvImporter::read(const std::filesystem::path& path, std::size_t split) {
  if (split != 0 && times_->rows().has_borders()) {
    throw InvalidArgument(
        fmt::format("{}: a file of another split, where times divide the rows", path.string()));
  }
  split_ = split;
  read_file(path, options_.columns);
}

void CsvImporter::read_in_pieces(const std::filesystem::path& path, const RowWindows& windows,
                                 PieceTaker<Series> take) {
  windows_ = windows;
  take_ = std::move(take);
  read(path);
  take_ = {};
}

void CsvImporter::read_future(const std::filesystem::path& path) {
  CsvColumnOptions columns = options_.columns;
  columns.features = std::exchange(columns.known, {});
  columns.statics.clear();
  is_future_ = true;
  read_file(path, columns);
}

void CsvImporter::read_file(const std::filesystem::path& path, const CsvColumnOptions& columns) {
  path_ = path;
  // A piece is of no use before it has a window, of rows behind one of names.
  const std::size_t enough =
      take_ ? static_cast<std::size_t>(windows_.rows) + 1 : CsvReader::kFirstRecords;
  CsvReader reader(path, options_.delimiter, import_, enough);
  const auto first = reader.first_records();
  checked_lines_ = reader.first_lines();
  if (first.empty()) fail_empty();
  set_columns(find_csv_columns(first, columns, path.string()));
  if (columns_.group == 0U) reader.take_no_comments();
  *format_ = numbers_of(first, columns_, options_, reader.delimiter());
  if (columns_.time && time_values(first, columns_).empty()) fail_empty();
  times_->begin(path, columns_, first);
  if (recipe_.kind.empty()) begin_recipe();
  if (columns_.has_header) reader.next();
  bool is_empty = true;
  for (; reader.next(); is_empty = false) {
    line_ = reader.line();
    add(reader.fields());
    if (take_ && reader.at_pause()) hand_on(reader);
  }
  if (is_empty) fail_empty();
  if (take_) expect_same_look(reader);
  if (resampler_) resampler_->finish();
  add_findings(path, reader, columns_, *format_, times_->rows().format(), findings_);
}

void CsvImporter::expect_same_look(const CsvReader& reader) {
  if (std::exchange(checked_lines_, reader.first_lines()) == reader.first_lines()) return;
  const auto first = reader.first_records();
  const CsvColumns columns = find_csv_columns(first, options_.columns, path_.string());
  const auto decimal = numbers_of(first, columns, options_, reader.delimiter()).decimal();
  if (reader.told_delimiter() == reader.delimiter() && columns.has_header == columns_.has_header &&
      columns.time == columns_.time && columns.features == columns_.features &&
      (!decimal || !format_->decimal() || decimal == format_->decimal()) &&
      (!columns.time ||
       times_of(first, columns, options_).name() == times_->rows().format().name())) {
    return;
  }
  fail(
      "expected fields, numbers and times as the rows before have them, found others (a file, not "
      "a pipe, is read as its first " +
      std::to_string(CsvReader::kFirstRecords) + " rows tell)");
}

// The rows so far, if they hold a window.
void CsvImporter::hand_on(CsvReader& reader) {
  if (columns_.time && !options_.has_step) return;
  const std::int64_t rows = rows_->piece_rows();
  if (rows < windows_.rows) return;
  const std::int64_t next = ((rows - windows_.rows) / windows_.stride + 1) * windows_.stride;
  if (next > rows) return;  // of windows that are shorter than their stride
  expect_same_look(reader);
  Series piece = rows_->take_piece(rows - next);
  complete(piece);
  take_(std::move(piece), line_);
}

void CsvImporter::set_columns(CsvColumns columns) {
  const std::vector<std::string> names = columns.names_of(columns.features);
  rows_->begin_file(path_, is_future_ ? rows_->feature_names() : names, columns.are_known);
  columns_ = std::move(columns);
  places_.resize(names.size());
  std::iota(places_.begin(), places_.end(), 0U);
  for (std::size_t i = 0; i < names.size() && is_future_; ++i) {
    places_[i] = rows_->place_of(names[i]);
  }
  values_.assign(rows_->feature_names().size(), kMissing);
  if (resampler_ || options_.resample.empty()) return;
  resampler_ =
      std::make_unique<Resampler>(parse_time_step(options_.resample), values_.size(),
                                  [this](std::size_t number, double time, std::span<double> row) {
                                    take_step(number, time, row);
                                  });
}

void CsvImporter::begin_recipe() {
  recipe_.kind = "csv";
  recipe_.missing = to_string(options_.missing);
  recipe_.resample = options_.resample;
  recipe_.calendar = options_.calendar;
  if (columns_.group) recipe_.group = columns_.names[*columns_.group];
  if (!columns_.time) return;
  recipe_.time = columns_.names[*columns_.time];
  recipe_.time_format = times_->rows().format().name();
}

const std::string& CsvImporter::first_step_back() const noexcept {
  return times_->first_step_back();
}

Recipe CsvImporter::recipe(const TimeStep& usual) const {
  Recipe recipe = recipe_;
  recipe.statics = statics_->columns();
  const TimeFormat& format = times_->rows().format();
  if (const auto decimal = format_->decimal()) recipe.decimal = *decimal;
  if (format.has_year_last() && !format.is_ambiguous()) {
    recipe.date_order = format.name() == "dates, day first" ? "day-first" : "month-first";
  }
  if (!rows_->has_times()) return recipe;
  recipe.other_steps = rows_->dropped_rows();
  if (resampler_) {
    recipe.step = {TimeStep::Unit::seconds, parse_time_step(options_.resample)};
    recipe.source_step = {TimeStep::Unit::seconds, times_->rows().steps().usual()};
    return recipe;
  }
  const TimeSteps& steps = times_->rows().steps();
  const bool is_usual = usual.is_known() && 2 * steps.others(usual) <= steps.size();
  recipe.step = is_usual ? usual : steps.step(format.is_calendar());
  recipe.other_steps += steps.others(recipe.step);
  return recipe;
}

void CsvImporter::add(const Fields& fields) {
  if (fields.size() != columns_.names.size()) {
    fail(fmt::format("expected {} fields, as in the first line, found {}", columns_.names.size(),
                     fields.size()));
  }
  const std::size_t number = number_of_series(fields);
  std::optional<double> time;
  if (columns_.time) time = times_->read(number, fields[*columns_.time], line_, is_future_);
  read_statics(fields, number);
  read_values(fields);
  if (!resampler_) {
    take_row(number, time, values_);
  } else if (const std::string problem = resampler_->add(number, time.value(), values_);
             !problem.empty()) {
    fail_field(*columns_.time, problem, fields[*columns_.time]);
  }
}

std::size_t CsvImporter::number_of_series(const Fields& fields) {
  const std::string_view name = columns_.group ? fields[*columns_.group] : std::string_view();
  if (const auto found = numbers_.find(name); found != numbers_.end()) return found->second;
  if (columns_.group && name.empty()) fail_field(*columns_.group, "the name of a series", name);
  if (columns_.group && is_future_) {
    fail_field(*columns_.group, "a series that has rows in front of these", name);
  }
  const std::size_t number = rows_->add_series(name);
  numbers_.emplace(name, number);
  return number;
}

void CsvImporter::read_statics(const Fields& fields, std::size_t number) {
  for (std::size_t i = 0; i < columns_.statics.size(); ++i) {
    const std::string_view text = fields[columns_.statics[i]];
    const std::string expected = statics_->add(number, i, text, *format_);
    if (expected.empty()) continue;
    const std::string& series = rows_->name(number);
    fail(fmt::format("{}column '{}': expected {}, found '{}' (--static: one value a series)",
                     series.empty() ? "" : fmt::format("series '{}': ", series),
                     columns_.names[columns_.statics[i]], expected, text));
  }
}

// Fills values_.
void CsvImporter::read_values(const Fields& fields) {
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const std::string_view text = fields[columns_.features[i]];
    const auto number = format_->parse(text);
    if (!number && !is_missing(text)) {
      fail_field(columns_.features[i], format_->expected(text), text);
    }
    values_[places_[i]] = number.value_or(kMissing);
    if (!number && is_future_) fail_field(columns_.features[i], "a number", text);
  }
  if (!rows_->lacks_values(values_)) return;
  const auto missing = std::ranges::find_if(values_, is_missing_value) - values_.begin();
  const std::size_t column = columns_.features[static_cast<std::size_t>(missing)];
  fail(fmt::format("column '{}': expected a number, found '{}'{}", columns_.names[column],
                   fields[column], way_out_of_missing("csv")));
}

// Takes a row of resampled ones.
void CsvImporter::take_step(std::size_t number, double time, std::span<double> row) {
  if (rows_->lacks_values(row) || (is_future_ && !rows_->is_of_future(row))) {
    throw FileError(fmt::format("{}: --resample {}: no row is from {} to the next step{}",
                                path_.string(), options_.resample,
                                times_->rows().format().format(time),
                                is_future_ ? "" : way_out_of_missing("csv")));
  }
  take_row(number, time, row);
}

void CsvImporter::take_row(std::size_t number, std::optional<double> time, std::span<double> row) {
  const bool is_divided = time && times_->rows().has_borders();
  rows_->add({.series = number,
              .split = is_divided ? times_->rows().split_of(*time) : split_,
              .time = time,
              .line = line_,
              .values = row});
}

Series CsvImporter::take() {
  times_->rows().expect_all_splits();
  Series series = rows_->take();
  series.steps_back = times_->rows().steps_back();
  series.same_times = times_->rows().steps().doubles();
  series.time_gaps = times_->rows().steps().gaps();
  complete(series);
  std::erase_if(series.parts, [](const SeriesPart& part) { return part.size() == 0; });
  return series;
}

// Adds what all rows of a series have in common.
void CsvImporter::complete(Series& series) const {
  series.calendar = options_.calendar;
  series.known = options_.columns.known;
  series.statics = statics_->columns();
  for (std::size_t number = 0; number < series.parts.size(); ++number) {
    SeriesPart& part = series.parts[number];
    if (part.size() > 0) part.constants = statics_->constants(number, series.path, part.name);
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
