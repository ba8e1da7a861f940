#include "io/data/window_split.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "io/files/finite.h"

namespace quadgate {

std::vector<SeriesRange> read_series_ranges(const hdf5::File& file, const std::string& split,
                                            std::int64_t rows) {
  const std::string name = split + "/ranges";
  if (!file.has(name)) {
    const SeriesRange range{0, file.read_int(split, "begin"), file.read_int(split, "end")};
    if (range.begin >= 0 && range.begin <= range.end && range.end <= rows) return {range};
    throw FileError(fmt::format("{}: expected begin and end within rows 0 to {}, found {} and {}",
                                file.where(split, "begin"), rows, range.begin, range.end));
  }
  const hdf5::Array ranges = file.array(name);
  ranges.expect(hdf5::Element::int64, {hdf5::kAnySize, 3}, "[G, 3]");
  std::vector<std::int64_t> values(static_cast<std::size_t>(ranges.size()));
  ranges.read(0, ranges.shape()[0], values);
  std::vector<SeriesRange> series;
  for (std::size_t i = 0; i < values.size(); i += 3) {
    const SeriesRange range{values[i], values[i + 1], values[i + 2]};
    series.push_back(range);
    if (range.first < 0 || range.begin < range.first || range.end < range.begin ||
        range.end > rows) {
      throw FileError(fmt::format(
          "{} row {}: expected first <= begin <= end within rows 0 to {}, found {}, {} and {}",
          ranges.where(), i / 3, rows, range.first, range.begin, range.end));
    }
  }
  return series;
}

void expect_scales(const hdf5::File& file, const DataDescription& description,
                   std::size_t num_series) {
  const std::size_t found = description.series_scales.size();
  if (found == 0 || found == num_series) return;
  throw FileError(fmt::format("{}: expected those of {} series, found {}",
                              file.where("", "series_names"), num_series, found));
}

SeriesLabels::SeriesLabels(const hdf5::File& file, const std::string& split, std::int64_t rows) {
  if (file.has_attribute("", "series_names")) names = file.read_strings("", "series_names");
  if (!file.has(split + "/time")) return;
  times = file.array(split + "/time");
  times->expect(hdf5::Element::int64, {rows}, fmt::format("[{}], one a row of x", rows));
}

WindowSplit::WindowSplit(const hdf5::File& file, const std::string& name,
                         const DataDescription& description, FeatureView view, std::int64_t horizon)
    : x_(file.array(name + "/x")),
      view_(std::move(view)),
      window_(*description.window),
      horizon_(horizon),
      targets_(target_columns(description)),
      columns_(static_cast<std::int64_t>(description.feature_names.size())),
      scales_(description.series_scales),
      known_names_(description.known_names),
      labels_(file, name, x_.shape().empty() ? 0 : x_.shape()[0]) {
  x_.expect(hdf5::Element::float32, {hdf5::kAnySize, columns_}, fmt::format("[L, {}]", columns_));
  const auto& names = description.feature_names;
  for (const std::string& known : known_names_) {
    known_.push_back(std::ranges::find(names, known) - names.begin());
  }
}

WindowSplit::WindowSplit(const hdf5::File& file, const std::string& name,
                         const DataDescription& description, FeatureView view)
    : WindowSplit(file, name, description, std::move(view), description.window->horizon) {
  const std::vector<SeriesRange> ranges = read_series_ranges(file, name, x_.shape()[0]);
  expect_scales(file, description, ranges.size());
  num_series_ = static_cast<std::int64_t>(ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) add_series(i, ranges[i]);
  if (size_ > 0) return;
  throw DataError(fmt::format(
      "{}: the split is empty: no {} rows of input and {} of targets fit{}", x_.where(),
      window_.input_len, window_.horizon,
      ranges.size() == 1
          ? fmt::format(", the targets in rows {} to {}", ranges[0].begin, ranges[0].end)
          : fmt::format(" into any of {} series", ranges.size())));
}

std::unique_ptr<WindowSplit> WindowSplit::open_future(const hdf5::File& file,
                                                      const std::string& name,
                                                      const DataDescription& description,
                                                      FeatureView view) {
  std::unique_ptr<WindowSplit> future(
      new WindowSplit(file, name, description, std::move(view), std::int64_t{0}));
  const auto ranges = read_series_ranges(file, name, future->x_.shape()[0]);
  expect_scales(file, description, ranges.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::int64_t end = future->x_.shape()[0];  // of the rows of the series
    for (const SeriesRange& other : ranges) {
      if (other.first >= ranges[i].end && other.first < end && &other != &ranges[i]) {
        end = other.first;
      }
    }
    future->add_end(i, ranges[i], end, file.path());
  }
  if (future->size_ == 0) throw DataError(future->x_.where() + ": expected series, found none");
  return future;
}

void WindowSplit::add_series(std::size_t number, const SeriesRange& range) {
  // A comparison that no window's size can overflow: input_len and horizon are at most the rows.
  const std::int64_t rows = x_.shape()[0];
  if (window_.input_len > rows || window_.horizon > rows) return;
  const std::int64_t begin = std::max(range.begin - window_.input_len, range.first);
  const std::int64_t room = range.end - begin - window_rows();
  if (room < 0) return;
  series_.push_back({size_, begin, number, range.first});
  size_ += room / window_.stride + 1;
}

void WindowSplit::expect_known(std::size_t number, std::int64_t found,
                               const std::filesystem::path& path) const {
  if (known_.empty() || found >= window_.horizon) return;
  throw DataError(fmt::format(
      "{}{}: column '{}': expected values in the {} rows behind the last one, which are to be "
      "forecast, found {} such rows (add rows of which {} alone {} a value, or a file of --future)",
      path.string(),
      number < labels_.names.size() ? fmt::format(": series '{}'", labels_.names[number]) : "",
      known_names_.front(), window_.horizon, found, fmt::join(known_names_, ", "),
      known_names_.size() == 1 ? "has" : "have"));
}

void WindowSplit::add_end(std::size_t number, const SeriesRange& range, std::int64_t end_of_rows,
                          const std::filesystem::path& path) {
  const std::int64_t rows = range.end - range.first;
  if (rows < window_.input_len) {
    throw DataError(fmt::format(
        "{}{}: expected at least {} rows, as many as input_len, found {} (rows from further back "
        "make a forecast)",
        path.string(),
        number < labels_.names.size() ? fmt::format(": series '{}'", labels_.names[number]) : "",
        window_.input_len, rows));
  }
  expect_known(number, end_of_rows - range.end, path);
  series_.push_back({size_, range.end - window_.input_len, number, range.first});
  ++size_;
}

const WindowSplit::Windows& WindowSplit::series_of(std::int64_t window) const noexcept {
  return *(std::ranges::upper_bound(series_, window, {}, &Windows::first) - 1);
}

std::int64_t WindowSplit::series(std::int64_t window) const noexcept {
  return static_cast<std::int64_t>(series_of(window).number);
}

const SeriesScale* WindowSplit::scale(std::int64_t window) const noexcept {
  return scales_.empty() ? nullptr : &scales_[series_of(window).number];
}

// The row of x that the inputs of a window begin at.
std::int64_t WindowSplit::begin(std::int64_t window) const noexcept {
  const Windows& series = series_of(window);
  return series.begin + (window - series.first) * window_.stride;
}

WindowPlace WindowSplit::place(std::int64_t row) const {
  const Windows& series = series_of(row);
  WindowPlace place{.first = begin(row) - series.origin};
  if (series.number < labels_.names.size()) place.series = labels_.names[series.number];
  if (!labels_.times) return place;
  std::vector<std::int64_t> times(static_cast<std::size_t>(window_rows()));
  labels_.times->read(begin(row), window_rows(), times);
  for (const std::int64_t time : times) {
    place.times.push_back(static_cast<double>(time) / kTimesInOne);
  }
  return place;
}

std::vector<std::int64_t> WindowSplit::chunks() const {
  const std::int64_t bytes = 4 * columns_ * window_rows();
  const std::int64_t rows = std::max<std::int64_t>(kChunkBytes / bytes, 1);
  std::vector<std::int64_t> firsts;
  for (std::int64_t row = 0; row < size_; row += rows) firsts.push_back(row);
  firsts.push_back(size_);
  return firsts;
}

std::string WindowSplit::where(std::int64_t row) const {
  return fmt::format("{} row {}", x_.where(), begin(row));
}

void WindowSplit::read(std::span<const std::int64_t> rows, Batch& batch) {
  batch.labels.clear();
  batch.tokens.clear();
  batch.offsets.assign(1, 0);
  batch.x.resize(rows.size() * static_cast<std::size_t>(window_.input_len * width()));
  batch.targets.resize(rows.size() * targets_.size() * static_cast<std::size_t>(horizon_));
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size_) {
      throw InvalidArgument(fmt::format("{}: no window {}, of {}", x_.where(), row, size_));
    }
    batch.offsets.push_back(batch.offsets.back() + window_.input_len);
  }
  // Windows that share rows of x, one after the other, are one read.
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1 &&
           begin(rows[end]) == begin(rows[end - 1]) + window_.stride &&
           window_.stride <= window_rows()) {
      ++end;
    }
    read_run(rows[i], static_cast<std::int64_t>(end - i), static_cast<std::int64_t>(i), batch);
    i = end;
  }
}

// Reads `count` windows from window `first` on, of one series, into the batch from its row
// `position`.
void WindowSplit::read_run(std::int64_t first, std::int64_t count, std::int64_t position,
                           Batch& batch) {
  const std::int64_t rows = (count - 1) * window_.stride + window_rows();
  rows_.resize(static_cast<std::size_t>(rows * columns_));
  x_.read(begin(first), rows, rows_);
  view_.apply(rows_, series_of(first).number);
  if (const std::int64_t bad = find_not_finite(rows_); bad >= 0) {
    throw DataError(
        fmt::format("{} row {}: not finite", x_.where(), begin(first) + bad / columns_));
  }
  for (std::int64_t i = 0; i < count; ++i) cut(i * window_.stride, position + i, batch);
}

// The window that begins at row `first` of rows_ becomes row `position` of the batch.
void WindowSplit::cut(std::int64_t first, std::int64_t position, Batch& batch) const {
  const std::int64_t inputs = window_.input_len * columns_;
  const auto from = rows_.begin() + first * columns_;
  auto x = batch.x.begin() + position * window_.input_len * width();
  if (known_.empty()) {
    std::copy_n(from, inputs, x);
  } else {
    for (std::int64_t step = 0; step < window_.input_len; ++step) {
      x = std::copy_n(from + step * columns_, columns_, x);
      for (const std::int64_t column : known_) {
        *x++ = from[(step + window_.horizon) * columns_ + column];
      }
    }
  }
  const auto count = static_cast<std::int64_t>(targets_.size());
  auto out = batch.targets.begin() + position * horizon_ * count;
  for (std::int64_t step = 0; step < horizon_; ++step) {
    for (const std::int64_t column : targets_) *out++ = from[inputs + step * columns_ + column];
  }
}

}  // namespace quadgate
