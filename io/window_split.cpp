#include "io/window_split.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/error.h"
#include "io/finite.h"

namespace quadgate {

WindowSplit::WindowSplit(const hdf5::File& file, const std::string& name,
                         const DataDescription& description)
    : x_(file.array(name + "/x")),
      window_(*description.window),
      targets_(target_columns(description)),
      columns_(static_cast<std::int64_t>(description.feature_names.size())) {
  x_.expect(hdf5::Element::float32, {hdf5::kAnySize, columns_}, fmt::format("[L, {}]", columns_));
  const std::int64_t begin = file.read_int(name, "begin");
  const std::int64_t end = file.read_int(name, "end");
  if (begin < 0 || end < begin || end > x_.shape()[0]) {
    throw FileError(fmt::format("{}: expected begin and end within rows 0 to {}, found {} and {}",
                                file.where(name, "begin"), x_.shape()[0], begin, end));
  }
  // A comparison that no window's size can overflow: input_len and horizon are at most the rows.
  const std::int64_t rows = x_.shape()[0];
  if (window_.input_len <= rows && window_.horizon <= rows) {
    begin_ = std::max(begin - window_.input_len, std::int64_t{0});
    const std::int64_t room = end - begin_ - window_.input_len - window_.horizon;
    size_ = room < 0 ? 0 : room / window_.stride + 1;
  }
  if (size_ == 0) {
    throw DataError(fmt::format(
        "{}: the split is empty: no {} rows of input and {} of targets fit, the targets in rows "
        "{} to {}",
        x_.where(), window_.input_len, window_.horizon, begin, end));
  }
  rows_.resize(static_cast<std::size_t>((window_.input_len + window_.horizon) * columns_));
}

void WindowSplit::read(std::span<const std::int64_t> rows, Batch& batch) {
  batch.labels.clear();
  batch.tokens.clear();
  batch.offsets.assign(1, 0);
  batch.x.resize(rows.size() * static_cast<std::size_t>(window_.input_len * columns_));
  batch.targets.resize(rows.size() * targets_.size() * static_cast<std::size_t>(window_.horizon));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= size_) {
      throw InvalidArgument(fmt::format("{}: no window {}, of {}", x_.where(), rows[i], size_));
    }
    batch.offsets.push_back(batch.offsets.back() + window_.input_len);
    read_window(begin_ + rows[i] * window_.stride, static_cast<std::int64_t>(i), batch);
  }
}

// Reads the window that begins at row `first` of x into row `position` of the batch.
void WindowSplit::read_window(std::int64_t first, std::int64_t position, Batch& batch) {
  x_.read(first, window_.input_len + window_.horizon, rows_);
  if (const std::int64_t bad = find_not_finite(rows_); bad >= 0) {
    throw DataError(fmt::format("{} row {}: not finite", x_.where(), first + bad / columns_));
  }
  const std::int64_t inputs = window_.input_len * columns_;
  std::copy_n(rows_.begin(), inputs, batch.x.begin() + position * inputs);
  const auto count = static_cast<std::int64_t>(targets_.size());
  auto out = batch.targets.begin() + position * window_.horizon * count;
  for (std::int64_t step = 0; step < window_.horizon; ++step) {
    for (const std::int64_t column : targets_) {
      *out++ = rows_[static_cast<std::size_t>(inputs + step * columns_ + column)];
    }
  }
}

}  // namespace quadgate
