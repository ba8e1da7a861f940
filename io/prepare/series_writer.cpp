#include "io/prepare/series_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "engine/base/error.h"
#include "io/data/data_description.h"
#include "io/files/finite.h"
#include "io/hdf5/array_writer.h"
#include "io/prepare/added_columns.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/series_scales.h"

namespace quadgate {
namespace {

using Rows = std::array<std::int64_t, 3>;

/// Takes the fractions of each series off the end of its train rows.
void divide_parts(Series& data, const PrepareOptions& options) {
  const Rows rows = rows_of_splits(data);
  const auto given = [&](std::size_t split) {
    return rows[split] > 0 ? std::optional(rows[split]) : std::nullopt;
  };
  divide(data.path, rows[0], given(1), given(2), options);  // what does not fit
  if (given(1) && options.test_fraction != 0) {
    throw InvalidArgument(
        fmt::format("--test-fraction: expected none where valid rows follow those that it would "
                    "divide, found {}",
                    options.test_fraction));
  }
  for (SeriesPart& part : data.parts) {
    const std::int64_t total = part.rows[0];
    for (const auto& [split, fraction] :
         {std::pair{1U, options.valid_fraction}, {2U, options.test_fraction}}) {
      const std::int64_t taken =
          std::min(std::llround(fraction * static_cast<double>(total)), part.rows[0] + 0LL);
      part.rows[split] += taken;
      part.rows[0] -= taken;
    }
  }
}

/// Each series may be too short for its share.
void expect_rows_of_all(const Series& data, const PrepareOptions& options) {
  const Rows rows = rows_of_splits(data);
  const auto expect = [&](std::size_t split, const char* option, double fraction) {
    if (fraction == 0 || (rows[0] > 0 && rows[split] > 0)) return;
    throw InvalidArgument(
        fmt::format("{}: {} {} leaves the {} split empty, of {} series with {} rows in all",
                    data.path.string(), option, fraction, kSplitNames.at(rows[0] > 0 ? split : 0),
                    data.parts.size(), rows[0] + rows[1] + rows[2]));
  };
  expect(1, "--valid-fraction", options.valid_fraction);
  expect(2, "--test-fraction", options.test_fraction);
}

/// What for_each_split calls rows of no split.
constexpr std::size_t kNoSplit = kSplitNames.size();

/// Calls body(split, first row, rows) for the rows of each split of each series, in the order of x.
template <typename Body>
void for_each_split(const Series& data, Body body) {
  std::int64_t row = 0;
  const auto visit = [&](std::size_t split, std::int64_t rows) {
    body(split, row, rows);
    row += rows;
  };
  for (const SeriesPart& part : data.parts) {
    visit(0, part.rows[0]);
    visit(1, part.rows[1]);
    visit(kNoSplit, part.gap);
    visit(2, part.rows[2]);
    visit(kNoSplit, part.future_rows);
  }
}

void expect_finite(const Series& data, const std::vector<std::string>& names,
                   std::span<const double> x, std::int64_t first_row) {
  if (const std::int64_t bad = find_not_finite(x); bad >= 0) {
    const std::int64_t columns = std::ssize(names);
    const auto column = static_cast<std::size_t>(bad % columns);
    throw DataError(fmt::format(
        "{}: row {}, column '{}': {}", data.path.string(), first_row + bad / columns, names[column],
        data.fill_with_mean ? "no training row has a value to take the mean of" : "not finite"));
  }
}

/// The columns of an input in the order of the data set.
ColumnOrder column_order(const Series& data, const std::vector<std::string>& found,
                         const PrepareOptions& options) {
  return {data.path, found, std::ssize(found), options.like};
}

/// What becomes of the values of a series.
Scale scale_of_part(const Scale& scale, std::size_t part) {
  if (scale.of_series.empty()) return scale;
  const SeriesScale& its = scale.of_series.at(part);
  return {.fill = its.mean, .standardization = {its.mean, its.std}};
}

void write_x(hdf5::FileWriter& file, const Series& data, const Scale& scale,
             const std::vector<std::string>& found, const std::filesystem::path& path,
             const PrepareOptions& options) {
  AddedColumns added(data);
  const std::int64_t columns = std::ssize(found);
  ColumnOrder order = column_order(data, found, options);
  const auto& names = options.like != nullptr && !options.like->feature_names.empty()
                          ? options.like->feature_names
                          : found;
  hdf5::ArrayWriter<float> writer(file, "train/x", {data.size(), columns}, storage_of(options));
  WorkMeter meter(options.observer, "writing", path, 4 * data.size() * columns);
  SpooledFloats::Reader x(data.x);
  std::vector<double> piece;
  std::vector<double> rows;
  std::vector<float> out;
  const std::int64_t most = piece_size(data.columns());
  std::int64_t done = 0;  // rows
  for (std::size_t part = 0; part < data.parts.size(); ++part) {
    const Scale its = scale_of_part(scale, part);
    for (std::int64_t left = data.parts[part].size() * data.columns(); left > 0;
         left -= std::ssize(piece)) {
      piece.resize(static_cast<std::size_t>(std::min(left, most)));
      x.read(piece);
      added.next(piece, rows);
      order.apply(rows);
      if (data.fill_with_mean) fill_with_means(rows, its.fill);
      expect_finite(data, names, rows, done);
      out.resize(rows.size());
      its.standardization.apply(rows, out);
      writer.append(out);
      meter.add(std::span(out).size_bytes());
      done += std::ssize(piece) / data.columns();
    }
  }
  writer.finish();
}

/// Times as `time` has them, in millionths.
void write_times(hdf5::FileWriter& file, const Series& data, const PrepareOptions& options) {
  hdf5::ArrayWriter<std::int64_t> writer(file, "train/time", {data.size()}, storage_of(options));
  SpooledFloats::Reader times(data.times);
  std::array<double, 1> time{};
  for (std::int64_t row = 0; row < data.size(); ++row) {
    times.read(time);
    writer.append(std::llround(time[0] * kTimesInOne));
  }
  writer.finish();
}

/// Where the targets of a split lie: as attributes of the one series, or of each series.
void write_borders(hdf5::FileWriter& file, const Series& data, std::size_t split) {
  const std::string name = kSplitNames.at(split);
  std::vector<std::int64_t> ranges;
  std::int64_t first = 0;
  for_each_split(data, [&](std::size_t of, std::int64_t row, std::int64_t rows) {
    if (of == 0) first = row;
    if (of == split) ranges.insert(ranges.end(), {first, row, row + rows});
  });
  if (data.parts.size() == 1 && data.parts[0].name.empty()) {
    file.write_int(name, "begin", ranges[1]);
    file.write_int(name, "end", ranges[2]);
    return;
  }
  const std::array shape{std::ssize(data.parts), std::int64_t{3}};
  file.write(name + "/ranges", shape, ranges);
}

/// The columns that are read, and those that are added. Throws InvalidArgument if two have one
/// name.
std::vector<std::string> all_names(const Series& data) {
  std::vector<std::string> names = data.feature_names;
  for (const std::string& name : AddedColumns(data).names()) {
    if (std::ranges::find(names, name) != names.end()) {
      throw InvalidArgument(
          fmt::format("{}: column '{}': expected none of that name, as it is made of others "
                      "(--columns leaves it out)",
                      data.path.string(), name));
    }
    names.push_back(name);
  }
  return names;
}

/// The scale of the data set; `own` gets the names of series that have one of rows that no model
/// was trained on.
Scale scale_of_all(const Series& data, const std::vector<std::string>& features,
                   const PrepareOptions& options, std::vector<std::string>& own) {
  const bool is_by_series =
      options.like != nullptr ? !options.like->series_scales.empty() : options.standardize_series;
  if (!is_by_series) {
    return scale_of(data.path, data.fill_with_mean, options,
                    [&] { return measure_all(data, options); });
  }
  if (data.parts.at(0).name.empty()) {
    throw InvalidArgument(fmt::format(
        "{}: expected series with names, as each is standardized by its own mean and std, found "
        "one without (--group names the series of a table; --standardize takes one scale)",
        data.path.string()));
  }
  ColumnOrder order = column_order(data, features, options);
  return {.of_series = scales_of_series(data, order, options, own)};
}

}  // namespace

PrepareSummary write_forecast(const std::filesystem::path& path, Series data,
                              const PrepareOptions& options) {
  divide_parts(data, options);
  expect_rows_of_all(data, options);
  PrepareSummary summary;
  const std::vector<std::string> features = all_names(data);
  const Scale scale = scale_of_all(data, features, options, summary.own_scales);
  DataDescription description = describe(features, scale, options);
  description.known_names = data.known;
  const bool has_names = data.parts.size() > 1 || !data.parts.at(0).name.empty();
  DatasetFile file(path, "forecast", description, has_names ? 2 : 1);
  if (has_names && scale.of_series.empty()) {
    std::vector<std::string> names;
    for (const SeriesPart& part : data.parts) names.push_back(part.name);
    file.file().write_strings("", "series_names", names);
  }
  const Rows rows = rows_of_splits(data);
  for (std::size_t split = 0; split < rows.size(); ++split) {
    if (rows[split] == 0) continue;
    const std::string name = kSplitNames.at(split);
    file.file().create_group(name);
    if (split == 0) {
      write_x(file.file(), data, scale, features, path, options);
      if (data.times.size() > 0) write_times(file.file(), data, options);
    } else {
      file.file().link("train/x", name + "/x");
      if (data.times.size() > 0) file.file().link("train/time", name + "/time");
    }
    write_borders(file.file(), data, split);
  }
  file.commit();
  summary.train = rows[0];
  summary.valid = rows[1];
  summary.test = rows[2];
  return summary;
}

}  // namespace quadgate
