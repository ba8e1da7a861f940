#include "io/prepare/series_scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "engine/base/error.h"
#include "io/prepare/added_columns.h"

namespace quadgate {
namespace {

/// Reads a number of values and calls `body` with them, piece by piece.
template <typename Body>
void read_pieces(SpooledFloats::Reader& x, std::int64_t values, std::int64_t columns, Body body) {
  std::vector<double> piece;
  const std::int64_t most = piece_size(columns);
  for (std::int64_t left = values; left > 0; left -= std::ssize(piece)) {
    piece.resize(static_cast<std::size_t>(std::min(left, most)));
    x.read(piece);
    body(std::span<const double>(piece));
  }
}

/// Reads the training rows and calls `body` with them, piece by piece.
template <typename Body>
void for_each_training_piece(const Series& data, Body body) {
  SpooledFloats::Reader x(data.x);
  for (const SeriesPart& part : data.parts) {
    read_pieces(x, part.rows[0] * data.columns(), data.columns(), body);
    x.skip((part.size() - part.rows[0]) * data.columns());
  }
}

/// Mean and std of a feature of static columns over the training rows.
std::pair<double, double> scale_of_constants(const Series& data, std::size_t feature) {
  std::optional<double> first;
  bool is_one = true;
  double rows = 0;
  double sum = 0;
  const auto for_each_part = [&](auto body) {
    for (const SeriesPart& part : data.parts) {
      if (part.rows[0] > 0) body(static_cast<double>(part.rows[0]), part.constants.at(feature));
    }
  };
  for_each_part([&](double count, double value) {
    is_one = is_one && value == first.value_or(value);
    first = value;
    rows += count;
    sum += count * value;
  });
  if (is_one) return {first.value_or(0), 1};
  const double mean = sum / rows;
  double squares = 0;
  for_each_part(
      [&](double count, double value) { squares += count * (value - mean) * (value - mean); });
  return {mean, std::sqrt(squares / rows)};
}

/// Appends the scale of the features that are added: of static numbers; what else there is stays as
/// it is.
void add_scale_of_added(const Series& data, std::vector<double>& mean, std::vector<double>& std) {
  const std::size_t columns = data.feature_names.size() + AddedColumns(data).names().size();
  std::size_t feature = 0;
  for (const StaticColumn& column : data.statics) {
    const bool is_number = column.classes.empty();
    const auto [its_mean, its_std] =
        is_number ? scale_of_constants(data, feature) : std::pair(0.0, 1.0);
    const std::size_t features = is_number ? 1 : column.classes.size();
    mean.insert(mean.end(), features, its_mean);
    std.insert(std.end(), features, its_std);
    feature += features;
  }
  mean.resize(columns, 0);
  std.resize(columns, 1);
}

/// Features that are added have the scale that the series of `like` have.
void keep_scale_of_added(const Series& data, const DataDescription& like, SeriesScale& scale) {
  const SeriesScale& known = like.series_scales.front();
  for (const std::string& name : AddedColumns(data).names()) {
    const auto column = static_cast<std::size_t>(std::ranges::find(like.feature_names, name) -
                                                 like.feature_names.begin());
    scale.mean.at(column) = known.mean.at(column);
    scale.std.at(column) = known.std.at(column);
  }
}

/// The rows of a series that its scale is measured in.
struct MeasuredRows {
  std::int64_t skipped = 0;  // in front of them
  std::int64_t count = 0;
};

MeasuredRows measured_rows(const SeriesPart& part) {
  if (part.rows[0] > 0) return {0, part.rows[0]};
  if (part.rows[1] > 0) return {0, part.rows[1]};
  return {part.gap, part.rows[2]};
}

/// Moments of the columns that are read, of the series in `parts`.
std::vector<ColumnMoments> moments_of(const Series& data, std::span<const std::size_t> parts,
                                      const PrepareOptions& options) {
  std::vector<ColumnMoments> moments(parts.size(), ColumnMoments(data.columns()));
  std::int64_t rows = 0;
  for (const std::size_t part : parts) rows += measured_rows(data.parts[part]).count;
  WorkMeter meter(options.observer, "measuring", data.path, 16 * rows * data.columns());
  const auto visit = [&](auto add) {
    SpooledFloats::Reader x(data.x);
    std::size_t next = 0;
    for (std::size_t part = 0; part < data.parts.size() && next < parts.size(); ++part) {
      std::int64_t left = data.parts[part].size();
      if (parts[next] == part) {
        const MeasuredRows its = measured_rows(data.parts[part]);
        x.skip(its.skipped * data.columns());
        read_pieces(x, its.count * data.columns(), data.columns(),
                    [&](std::span<const double> piece) {
                      add(moments[next], piece);
                      meter.add(piece.size_bytes());
                    });
        left -= its.skipped + its.count;
        ++next;
      }
      x.skip(left * data.columns());
    }
  };
  visit([](ColumnMoments& its, std::span<const double> piece) { its.add(piece); });
  visit([](ColumnMoments& its, std::span<const double> piece) { its.add_deviations(piece); });
  return moments;
}

void expect_different_names(const Series& data) {
  std::set<std::string_view> names;
  for (const SeriesPart& part : data.parts) {
    if (names.insert(part.name).second) continue;
    throw DataError(fmt::format(
        "{}: series '{}': expected names that differ, as each series has a scale of its own, found "
        "it twice",
        data.path.string(), part.name));
  }
}

}  // namespace

std::array<std::int64_t, 3> rows_of_splits(const Series& data) {
  std::array<std::int64_t, 3> rows{};
  for (const SeriesPart& part : data.parts) {
    for (std::size_t i = 0; i < rows.size(); ++i) rows.at(i) += part.rows.at(i);
  }
  return rows;
}

Standardization measure_all(const Series& data, const PrepareOptions& options) {
  ColumnMoments moments(data.columns());
  WorkMeter meter(options.observer, "measuring", data.path,
                  16 * rows_of_splits(data)[0] * data.columns());
  for_each_training_piece(data, [&](std::span<const double> piece) {
    moments.add(piece);
    meter.add(piece.size_bytes());
  });
  for_each_training_piece(data, [&](std::span<const double> piece) {
    moments.add_deviations(piece);
    meter.add(piece.size_bytes());
  });
  Standardization standardization = moments.standardization();
  add_scale_of_added(data, standardization.mean, standardization.std);
  return standardization;
}

std::vector<SeriesScale> scales_of_series(const Series& data, ColumnOrder& order,
                                          const PrepareOptions& options,
                                          std::vector<std::string>& own) {
  expect_different_names(data);
  std::unordered_map<std::string_view, const SeriesScale*> known;
  if (options.like != nullptr) {
    for (const SeriesScale& scale : options.like->series_scales) known.emplace(scale.name, &scale);
  }
  std::vector<SeriesScale> scales;
  std::vector<std::size_t> unknown;
  for (const SeriesPart& part : data.parts) {
    const auto found = known.find(part.name);
    if (found == known.end()) unknown.push_back(scales.size());
    scales.push_back(found == known.end() ? SeriesScale{.name = part.name} : *found->second);
  }
  const std::vector<ColumnMoments> moments = moments_of(data, unknown, options);
  for (std::size_t i = 0; i < unknown.size(); ++i) {
    const SeriesPart& part = data.parts[unknown[i]];
    SeriesScale& scale = scales[unknown[i]];
    if (options.like != nullptr || part.rows[0] == 0) own.push_back(part.name);
    Standardization its = moments[i].standardization();
    if (measured_rows(part).count == 0) std::ranges::fill(its.mean, 0);
    scale.mean = std::move(its.mean);
    scale.std = std::move(its.std);
    add_scale_of_added(data, scale.mean, scale.std);
    order.apply(scale.mean);
    order.apply(scale.std);
    if (options.like != nullptr) keep_scale_of_added(data, *options.like, scale);
  }
  return scales;
}

}  // namespace quadgate
