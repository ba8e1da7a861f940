#include "io/data/target_rows.h"

#include <algorithm>
#include <vector>

#include "io/data/dataset_kinds.h"
#include "io/data/feature_view.h"
#include "io/data/window_split.h"
#include "io/hdf5/file.h"

namespace quadgate {
namespace {

constexpr std::int64_t kPieceRows = 4096;

/// A column of x and what puts it into original units.
struct TargetColumn {
  std::size_t column = 0;
  double mean = 0;
  double std = 1;
};

/// Of a series of the file.
std::vector<TargetColumn> columns_of(const DataDescription& file, std::size_t series,
                                     const DataDescription& shown) {
  const MatchedNames matched = match_names(shown.feature_names, file.feature_names);
  std::vector<TargetColumn> columns;
  for (const std::int64_t target : target_columns(shown)) {
    TargetColumn& to = columns.emplace_back();
    to.column = matched.columns.at(static_cast<std::size_t>(target));
    if (!is_standardized(file)) continue;
    const bool is_by_series = !file.series_scales.empty();
    to.mean = (is_by_series ? file.series_scales.at(series).mean : file.mean)[to.column];
    to.std = (is_by_series ? file.series_scales.at(series).std : file.std)[to.column];
  }
  return columns;
}

/// Visits the series of a file, whose first one has the number `first`. Returns how many they are.
std::int64_t visit_file(const hdf5::File& file, const std::string& split, std::int64_t first,
                        const DataDescription& shown,
                        const std::function<void(const TargetRows&)>& visit) {
  const hdf5::Array x = file.array(split + "/x");
  detail::OpenDataset data = detail::describe(file);
  detail::open_features(file, x, nullptr, data);
  const auto width = static_cast<std::size_t>(data.input_size);
  std::vector<float> rows;
  std::vector<double> values;
  const std::vector<SeriesRange> ranges = read_series_ranges(file, split, x.shape()[0]);
  expect_scales(file, data.description, ranges.size());
  for (std::size_t series = 0; series < ranges.size(); ++series) {
    const SeriesRange& range = ranges[series];
    const std::vector<TargetColumn> columns = columns_of(data.description, series, shown);
    for (std::int64_t begin = range.begin; begin < range.end; begin += kPieceRows) {
      const std::int64_t count = std::min(kPieceRows, range.end - begin);
      rows.resize(static_cast<std::size_t>(count) * width);
      x.read(begin, count, rows);
      values.clear();
      for (std::size_t row = 0; row < rows.size(); row += width) {
        for (const TargetColumn& target : columns) {
          values.push_back(static_cast<double>(rows[row + target.column]) * target.std +
                           target.mean);
        }
      }
      visit({first + static_cast<std::int64_t>(series), values});
    }
  }
  return static_cast<std::int64_t>(ranges.size());
}

}  // namespace

std::int64_t for_each_target_rows(std::span<const std::filesystem::path> paths,
                                  const std::string& split, const DataDescription& shown,
                                  const std::function<void(const TargetRows&)>& visit) {
  std::vector<hdf5::File> files;
  for (const std::filesystem::path& path : paths) files.push_back(hdf5::File::open(path));
  if (!std::ranges::all_of(files, [&](const auto& file) { return file.has(split); })) return 0;
  std::int64_t series = 0;
  for (const hdf5::File& file : files) series += visit_file(file, split, series, shown, visit);
  return series;
}

}  // namespace quadgate
