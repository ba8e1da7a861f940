#include "io/data/sequence_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "io/files/finite.h"

namespace quadgate {
namespace {

using hdf5::Element;
using hdf5::kAnySize;

template <typename T>
std::span<T> part(std::vector<T>& values, std::int64_t first, std::int64_t count) {
  return std::span(values).subspan(static_cast<std::size_t>(first),
                                   static_cast<std::size_t>(count));
}

}  // namespace

SequenceSplit::SequenceSplit(const hdf5::File& file, const std::string& name, Task task,
                             const SequenceSizes& sizes, FeatureView view)
    : task_(task), sizes_(sizes), view_(std::move(view)), x_(file.array(name + "/x")) {
  open_x(name, file);
  if (!file.has(name + "/y")) return;
  y_ = file.array(name + "/y");
  open_y();
}

void SequenceSplit::expect_x(bool has_offsets) const {
  if (sizes_.vocabulary > 0 && has_offsets) {
    x_.expect(Element::int32, {kAnySize}, "[sum of lengths]");
  } else if (sizes_.vocabulary > 0) {
    x_.expect(Element::int32, {kAnySize, kAnySize}, "[n, T]");
  } else if (has_offsets) {
    x_.expect(Element::float32, {kAnySize, sizes_.input},
              fmt::format("[sum of lengths, {}]", sizes_.input));
  } else {
    x_.expect(Element::float32, {kAnySize, kAnySize, sizes_.input},
              fmt::format("[n, T, {}]", sizes_.input));
  }
}

void SequenceSplit::open_x(const std::string& name, const hdf5::File& file) {
  const bool has_offsets = file.has(name + "/offsets");
  expect_x(has_offsets);
  if (has_offsets) {
    read_offsets(file.array(name + "/offsets"));
  } else {
    size_ = x_.shape()[0];
    max_len_ = x_.shape()[1];
  }
  if (size_ == 0) throw DataError(x_.where() + ": the split is empty");
  if (max_len_ == 0) throw DataError(x_.where() + ": the sequences are empty");
}

void SequenceSplit::read_offsets(const hdf5::Array& offsets) {
  offsets.expect(Element::int64, {kAnySize}, "[n + 1]");
  const std::int64_t steps = x_.shape()[0];
  if (offsets.size() > steps + 1 || offsets.size() < 1) {
    throw FileError(fmt::format("{}: expected from 1 to {} values, found {}", offsets.where(),
                                steps + 1, offsets.size()));
  }
  offsets_.resize(static_cast<std::size_t>(offsets.size()));
  offsets.read(0, offsets.size(), offsets_);
  if (offsets_.front() != 0 || offsets_.back() != steps) {
    throw FileError(fmt::format("{}: expected 0 to {}, the rows of x, found {} to {}",
                                offsets.where(), steps, offsets_.front(), offsets_.back()));
  }
  size_ = offsets.size() - 1;
  for (std::int64_t row = 0; row < size_; ++row) {
    if (length(row) < 1) {
      throw FileError(fmt::format("{} row {}: expected a length of at least 1, found {}",
                                  offsets.where(), row, length(row)));
    }
    max_len_ = std::max(max_len_, length(row));
  }
}

void SequenceSplit::open_y() {
  switch (task_) {
    case Task::classification:
      y_->expect(Element::int64, {size_}, fmt::format("[{}]", size_));
      labels_.resize(static_cast<std::size_t>(size_));
      y_->read(0, size_, labels_);
      if (const std::int64_t bad = find_bad_label(labels_); bad >= 0) {
        fail_label(bad, labels_[static_cast<std::size_t>(bad)]);
      }
      break;
    case Task::tagging:
      y_->expect(Element::int64, {begin(size_)}, fmt::format("[{}], a label a step", begin(size_)));
      break;
    case Task::regression:
      y_->expect(Element::float32, {size_, sizes_.output},
                 fmt::format("[{}, {}]", size_, sizes_.output));
      break;
  }
}

// Index of the first label that is none of the classes and does count, or -1.
std::int64_t SequenceSplit::find_bad_label(std::span<const std::int64_t> labels) const {
  const auto bad = std::ranges::find_if_not(labels, [&](std::int64_t label) {
    return (label >= 0 && label < sizes_.output) || label == sizes_.ignore_index;
  });
  return bad == labels.end() ? -1 : bad - labels.begin();
}

void SequenceSplit::fail_label(std::int64_t row, std::int64_t label) const {
  throw DataError(
      fmt::format("{} row {}: expected a label from 0 to {} or ignore_index ({}), found "
                  "{}",
                  y_->where(), row, sizes_.output - 1, sizes_.ignore_index, label));
}

std::int64_t SequenceSplit::begin(std::int64_t row) const noexcept {
  return offsets_.empty() ? row * max_len_ : offsets_[static_cast<std::size_t>(row)];
}

std::int64_t SequenceSplit::length(std::int64_t row) const noexcept {
  return begin(row + 1) - begin(row);
}

std::vector<std::int64_t> SequenceSplit::chunks() const {
  const std::int64_t step_bytes = 4 * std::max<std::int64_t>(sizes_.input, 1);
  const std::int64_t row_steps = offsets_.empty() ? max_len_ : 1;  // in a row of x
  std::int64_t rows = std::max<std::int64_t>(kChunkBytes / (step_bytes * row_steps), 1);
  if (const auto stored = x_.chunk_shape(); !stored.empty()) {
    // Whole chunks of the file; several where sequences lie across their borders.
    rows = std::max(rows / stored[0], std::int64_t{offsets_.empty() ? 1 : 4}) * stored[0];
  }
  std::vector<std::int64_t> firsts;
  for (std::int64_t row = 0, last = -1; row < size_; ++row) {
    const std::int64_t part = begin(row) / row_steps / rows;
    if (part != last) firsts.push_back(row);
    last = part;
  }
  firsts.push_back(size_);
  return firsts;
}

std::string SequenceSplit::where(std::int64_t row) const {
  return fmt::format("{} row {}", x_.where(), row);
}

void SequenceSplit::read(std::span<const std::int64_t> rows, Batch& batch) {
  batch.offsets.assign(1, 0);
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size_) {
      throw InvalidArgument(fmt::format("{}: no row {}, of {}", x_.where(), row, size_));
    }
    batch.offsets.push_back(batch.offsets.back() + length(row));
  }
  const std::int64_t steps = batch.offsets.back();
  const auto count = static_cast<std::int64_t>(rows.size());
  batch.x.resize(static_cast<std::size_t>(steps * sizes_.input));
  batch.tokens.resize(static_cast<std::size_t>(sizes_.vocabulary > 0 ? steps : 0));
  batch.labels.resize(static_cast<std::size_t>(!y_                             ? 0
                                               : task_ == Task::classification ? count
                                               : task_ == Task::tagging        ? steps
                                                                               : 0));
  batch.targets.resize(
      static_cast<std::size_t>(y_ && task_ == Task::regression ? count * sizes_.output : 0));

  // Rows that follow each other in the file are one read.
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t end = i + 1;
    while (end < rows.size() && rows[end] == rows[end - 1] + 1) ++end;
    read_run(rows[i], static_cast<std::int64_t>(end - i), batch, static_cast<std::int64_t>(i));
    i = end;
  }
  view_.apply(batch.x);
  check(rows, batch);
}

// Reads `count` rows from row `first` into the batch from its row `position`.
void SequenceSplit::read_run(std::int64_t first, std::int64_t count, Batch& batch,
                             std::int64_t position) {
  const std::int64_t step = batch.offsets[static_cast<std::size_t>(position)];
  const std::int64_t steps = begin(first + count) - begin(first);
  const auto read_x = [&](const auto& x) {
    offsets_.empty() ? x_.read(first, count, x) : x_.read(begin(first), steps, x);
  };
  if (sizes_.vocabulary > 0) {
    read_x(part(batch.tokens, step, steps));
  } else {
    read_x(part(batch.x, step * sizes_.input, steps * sizes_.input));
  }
  if (!y_) return;
  switch (task_) {
    case Task::classification:
      std::copy_n(labels_.begin() + first, count, batch.labels.begin() + position);
      break;
    case Task::tagging:
      y_->read(begin(first), steps, part(batch.labels, step, steps));
      break;
    case Task::regression:
      y_->read(first, count, part(batch.targets, position * sizes_.output, count * sizes_.output));
      break;
  }
}

void SequenceSplit::check(std::span<const std::int64_t> rows, const Batch& batch) const {
  // The row of the file that step `step` of the batch belongs to.
  const auto row_of = [&](std::int64_t step) {
    const auto next = std::ranges::upper_bound(batch.offsets, step);
    return rows[static_cast<std::size_t>(next - batch.offsets.begin() - 1)];
  };
  if (const std::int64_t bad = find_not_finite(batch.x); bad >= 0) {
    throw DataError(fmt::format("{} row {}: not finite", x_.where(), row_of(bad / sizes_.input)));
  }
  const auto bad_token = std::ranges::find_if_not(
      batch.tokens, [&](std::int64_t token) { return token >= 0 && token < sizes_.vocabulary; });
  if (const std::int64_t bad = bad_token - batch.tokens.begin(); bad_token != batch.tokens.end()) {
    throw DataError(fmt::format("{} row {}: expected a token from 0 to {}, found {}", x_.where(),
                                row_of(bad), sizes_.vocabulary - 1,
                                batch.tokens[static_cast<std::size_t>(bad)]));
  }
  if (const std::int64_t bad = find_not_finite(batch.targets); bad >= 0) {
    throw DataError(fmt::format("{} row {}: not finite", y_->where(),
                                rows[static_cast<std::size_t>(bad / sizes_.output)]));
  }
  if (y_ && task_ == Task::tagging) {
    if (const std::int64_t bad = find_bad_label(batch.labels); bad >= 0) {
      fail_label(row_of(bad), batch.labels[static_cast<std::size_t>(bad)]);
    }
  }
}

}  // namespace quadgate
