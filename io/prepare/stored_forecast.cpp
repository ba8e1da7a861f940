#include "io/prepare/stored_forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "engine/base/error.h"
#include "io/data/covariates.h"
#include "io/data/dataset.h"
#include "io/data/recipe.h"
#include "io/data/window_split.h"
#include "io/files/checksum.h"
#include "io/prepare/dataset_parts.h"
#include "io/prepare/series_writer.h"

namespace quadgate {
namespace {

// What a newer version holds has to come into the folds as well.
static_assert(kNewestDatasetVersion == 5);

constexpr std::int64_t kRowsAtOnce = 4096;

/// The series of a file, over all of its splits.
std::vector<StoredSeries> series_of(const hdf5::File& file, std::size_t number, std::int64_t rows) {
  std::vector<StoredSeries> all;
  std::vector<std::string> names;
  if (file.has_attribute("", "series_names")) names = file.read_strings("", "series_names");
  for (std::size_t split = 0; split < kSplitNames.size(); ++split) {
    if (!file.has(kSplitNames.at(split))) continue;
    const auto ranges = read_series_ranges(file, kSplitNames.at(split), rows);
    if (all.empty()) {
      all.resize(ranges.size(), {.file = number, .first = rows});
      for (std::size_t i = 0; i < std::min(names.size(), all.size()); ++i) all[i].name = names[i];
    }
    if (ranges.size() != all.size()) {
      throw FileError(
          fmt::format("{}: group '{}': expected {} series, as in other splits, found {}",
                      file.path().string(), kSplitNames.at(split), all.size(), ranges.size()));
    }
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      all[i].first = std::min(all[i].first, ranges[i].first);
      all[i].end = std::max(all[i].end, ranges[i].end);
      all[i].of_split.at(split) = ranges[i].end - ranges[i].begin;
    }
  }
  return all;
}

/// The columns of x that the writer does not add itself.
std::vector<std::size_t> read_columns(const DataDescription& description) {
  const std::vector<std::int64_t> added = covariate_columns(description);
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < description.feature_names.size(); ++i) {
    if (std::ranges::find(added, static_cast<std::int64_t>(i)) == added.end()) columns.push_back(i);
  }
  return columns;
}

}  // namespace

StoredForecast::StoredForecast(std::span<const std::filesystem::path> paths,
                               DataDescription description)
    : paths_(paths.begin(), paths.end()), description_(std::move(description)) {
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const hdf5::File file = hdf5::File::open(paths_[i]);
    const auto split = std::ranges::find_if(
        kSplitNames, [&](const char* name) { return file.has(name); });  // Dataset found one
    x_.push_back(file.array(std::string(*split) + "/x"));
    const std::int64_t rows = x_.back().shape().at(0);
    const SeriesLabels labels(file, *split, rows);
    if (labels.times) times_.push_back(*labels.times);
    std::ranges::move(series_of(file, i, rows), std::back_inserter(series_));
  }
  if (times_.size() != x_.size()) times_.clear();
}

void StoredForecast::read(const StoredSeries& series, std::int64_t begin, std::int64_t end,
                          const Visitor& visit) const {
  const hdf5::Array& x = x_[series.file];
  std::vector<float> values;
  std::vector<std::int64_t> times;
  for (std::int64_t row = begin; row < end; row += kRowsAtOnce) {
    const std::int64_t count = std::min(kRowsAtOnce, end - row);
    values.resize(static_cast<std::size_t>(count * x.shape()[1]));
    x.read(series.first + row, count, values);
    if (!times_.empty()) {
      times.resize(static_cast<std::size_t>(count));
      times_[series.file].read(series.first + row, count, times);
    }
    visit(values, times);
  }
}

bool StoredForecast::end_together() const {
  std::optional<std::int64_t> end;
  for (const StoredSeries& series : series_) {
    if (times_.empty() || series.rows() == 0) continue;
    std::int64_t time = 0;
    times_[series.file].read(series.end - 1, 1, std::span(&time, 1));
    if (end.value_or(time) != time) return false;
    end = time;
  }
  return true;
}

std::uint64_t StoredForecast::checksum() const {
  std::uint64_t sum = 0;
  for (const StoredSeries& series : series_) {
    const std::int64_t rows = series.rows();
    sum = checksum_of(std::as_bytes(std::span(&rows, 1)), sum);
    read(series, 0, rows, [&](std::span<const float> x, std::span<const std::int64_t> times) {
      sum = checksum_of(std::as_bytes(x), sum);
      sum = checksum_of(std::as_bytes(times), sum);
    });
  }
  return sum;
}

double StoredForecast::original(std::size_t series, std::size_t column, double value) const {
  if (!is_standardized(description_)) return value;
  if (description_.series_scales.empty()) {
    return value * description_.std[column] + description_.mean[column];
  }
  const SeriesScale& scale = description_.series_scales.at(series);
  return value * scale.std[column] + scale.mean[column];
}

// The features of static columns.
std::vector<double> StoredForecast::constants_of(std::size_t number) const {
  const StoredSeries& series = series_[number];
  std::vector<double> constants;
  if (!description_.recipe || series.rows() == 0) return constants;
  const auto& names = description_.feature_names;
  read(series, 0, 1, [&](std::span<const float> x, std::span<const std::int64_t>) {
    for (const std::string& name : added_names({.statics = description_.recipe->statics})) {
      const auto column = static_cast<std::size_t>(std::ranges::find(names, name) - names.begin());
      constants.push_back(original(number, column, x[column]));
    }
  });
  return constants;
}

PrepareSummary StoredForecast::write_fold(const std::filesystem::path& path,
                                          std::span<const SeriesFold> folds,
                                          std::span<const std::int64_t> valid_rows) const {
  Series data(paths_.front(), {.output = path});
  DataDescription of_table = description_;  // whose known columns are read as others
  of_table.known_names.clear();
  data.feature_names = series_names_of(of_table);
  data.known = description_.known_names;
  if (description_.recipe) {
    data.calendar = description_.recipe->calendar;  // made anew of times
    data.statics = description_.recipe->statics;
  }
  const std::vector<std::size_t> columns = read_columns(of_table);
  std::vector<double> values;
  for (std::size_t i = 0; i < series_.size(); ++i) {
    const SeriesFold& fold = folds[i];
    data.parts.push_back(
        {.name = series_[i].name,
         .rows = {fold.gap - fold.train - valid_rows[i], valid_rows[i], fold.end - fold.test},
         .gap = fold.test - fold.gap,
         .constants = constants_of(i)});
    read(series_[i], fold.train, fold.end,
         [&](std::span<const float> x, std::span<const std::int64_t> times) {
           values.clear();
           for (; !x.empty(); x = x.subspan(description_.feature_names.size())) {
             for (const std::size_t column : columns) {
               values.push_back(original(i, column, x[column]));
             }
           }
           data.x.append(values);
           for (const std::int64_t time : times) {
             const double in_ones = static_cast<double>(time) / kTimesInOne;
             data.times.append(std::span(&in_ones, 1));
           }
         });
  }
  return write_forecast(path, std::move(data),
                        {.standardize = !description_.mean.empty(),
                         .standardize_series = !description_.series_scales.empty(),
                         .recipe = description_.recipe});
}

}  // namespace quadgate
