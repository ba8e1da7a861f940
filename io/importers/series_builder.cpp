#include "io/importers/series_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/base/error.h"
#include "io/importers/csv_columns.h"

namespace quadgate {
namespace {

bool is_unknown(double value) { return std::isnan(value); }

}  // namespace

SeriesBuilder::SeriesBuilder(MissingPolicy missing, const SpoolOptions& spool)
    : missing_(missing),
      spool_(spool),
      series_({}, spool),
      rows_(spool),
      times_(std::in_place, spool) {}

void SeriesBuilder::begin_file(const std::filesystem::path& path, std::vector<std::string> features,
                               std::vector<bool> are_known) {
  path_ = path;
  if (series_.feature_names.empty()) {
    series_.path = path;
    series_.feature_names = std::move(features);
    are_known_ = std::move(are_known);
  } else if (features != series_.feature_names) {
    throw DataError(fmt::format("{}: expected columns {}, as in {}, found {}", path.string(),
                                join_names(series_.feature_names), series_.path.string(),
                                join_names(features)));
  }
}

std::size_t SeriesBuilder::add_series(std::string_view name) {
  series_.parts.push_back({.name = std::string(name)});
  fillers_.emplace_back(missing_, series_.feature_names.size());
  future_.emplace_back();
  return series_.parts.size() - 1;
}

std::size_t SeriesBuilder::place_of(std::string_view feature) const {
  const auto& names = series_.feature_names;
  return static_cast<std::size_t>(std::ranges::find(names, feature) - names.begin());
}

bool SeriesBuilder::lacks_values(std::span<const double> row) const {
  return missing_ == MissingPolicy::error && std::ranges::any_of(row, is_unknown) &&
         !is_of_future(row);
}

bool SeriesBuilder::is_of_future(std::span<const double> row) const {
  if (std::ranges::find(are_known_, true) == are_known_.end()) return false;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (are_known_[i] == is_unknown(row[i])) return false;
  }
  return true;
}

// Rows of the future wait: a row behind them that is none makes them rows like itself.
void SeriesBuilder::add(const TableRow& row) {
  auto& future = future_[row.series];
  if (is_of_future(row.values)) {
    future.push_back({.values{row.values.begin(), row.values.end()},
                      .time = row.time,
                      .split = row.split,
                      .where = fmt::format("{}:{}", path_.string(), row.line)});
    return;
  }
  for (FutureRow& waiting : future) {
    if (missing_ == MissingPolicy::error) {
      throw FileError(
          fmt::format("{}: column '{}': expected a number, as rows with numbers follow{}",
                      waiting.where, first_unknown_feature(), way_out_of_missing("csv")));
    }
    add_whole(row.series, waiting.split, waiting.time, waiting.values);
  }
  future.clear();
  add_whole(row.series, row.split, row.time, row.values);
}

const std::string& SeriesBuilder::first_unknown_feature() const {
  const auto unknown = std::ranges::find(are_known_, false) - are_known_.begin();
  return series_.feature_names[static_cast<std::size_t>(unknown)];
}

void SeriesBuilder::add_whole(std::size_t series, std::size_t split, std::optional<double> time,
                              std::span<double> values) {
  ++read_rows_.at(split);
  if (!fillers_[series].keep(values)) {
    ++series_.dropped_rows;
    return;
  }
  ++series_.parts[series].rows.at(split);
  append(series, time, values);
}

void SeriesBuilder::append(std::size_t series, std::optional<double> time,
                           std::span<const double> values) {
  rows_.append(series, values);
  const bool has_time = time && std::abs(*time) <= kLargestTime;
  if (!has_time && times_ && has_handed_on_) {
    throw FileError(fmt::format("{}: expected times up to {} in all rows, found {}", path_.string(),
                                kLargestTime, time ? fmt::format("{}", *time) : "none"));
  }
  if (!has_time) times_.reset();
  if (times_) times_->append(series, std::array{*time});
}

// What nobody knows of the future is 0.
void SeriesBuilder::add_future() {
  for (std::size_t series = 0; series < future_.size(); ++series) {
    for (FutureRow& row : future_[series]) {
      ++series_.parts[series].future_rows;
      std::ranges::replace_if(row.values, is_unknown, 0);
      append(series, row.time, row.values);
    }
  }
}

Series SeriesBuilder::take_piece(std::int64_t kept) {
  Series piece(series_.path, spool_);
  piece.feature_names = series_.feature_names;
  piece.parts = series_.parts;
  piece.fill_with_mean = missing_ == MissingPolicy::mean;
  piece.x = rows_.take_but_keep(kept, series_.feature_names.size());
  if (times_) piece.times = times_->take_but_keep(kept, 1);
  series_.parts.front().rows.front() = kept;
  has_handed_on_ = true;
  return piece;
}

Series SeriesBuilder::take() {
  if (!has_handed_on_) expect_rows_left();
  series_.fill_with_mean = missing_ == MissingPolicy::mean;
  for (const MissingFiller& filler : fillers_) series_.filled_values += filler.filled();
  add_future();
  series_.x = rows_.take(series_.parts, series_.feature_names.size());
  if (times_) series_.times = times_->take(series_.parts, 1);
  return std::move(series_);
}

void SeriesBuilder::expect_rows_left() const {
  constexpr std::array kSplits{"train", "valid", "test"};
  for (std::size_t split = 0; split < kSplits.size(); ++split) {
    const auto is_of_split = [&](const SeriesPart& part) { return part.rows.at(split) > 0; };
    if (read_rows_.at(split) == 0 || std::ranges::any_of(series_.parts, is_of_split)) continue;
    throw FileError(fmt::format(
        "{}: --missing {}: left out all {} rows of the {} split, as each lacks a value",
        series_.path.string(), to_string(missing_), read_rows_.at(split), kSplits.at(split)));
  }
}

}  // namespace quadgate
