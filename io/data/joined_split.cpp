#include "io/data/joined_split.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/batch_rows.h"

namespace quadgate {

JoinedSplit::JoinedSplit(std::vector<std::unique_ptr<Split>> parts)
    : parts_(std::move(parts)),
      firsts_{0},
      rows_(parts_.size()),
      batches_(parts_.size()),
      taken_(parts_.size()) {
  for (const auto& part : parts_) firsts_.push_back(firsts_.back() + part->size());
}

std::size_t JoinedSplit::part_of(std::int64_t row) const noexcept {
  return static_cast<std::size_t>(std::ranges::upper_bound(firsts_, row) - firsts_.begin()) - 1;
}

std::int64_t JoinedSplit::length(std::int64_t row) const noexcept {
  const std::size_t part = part_of(row);
  return parts_[part]->length(row - firsts_[part]);
}

std::int64_t JoinedSplit::max_len() const noexcept {
  std::int64_t longest = 0;
  for (const auto& part : parts_) longest = std::max(longest, part->max_len());
  return longest;
}

std::int64_t JoinedSplit::num_series() const noexcept {
  std::int64_t count = 0;
  for (const auto& part : parts_) count += part->num_series();
  return count;
}

std::int64_t JoinedSplit::series(std::int64_t row) const noexcept {
  const std::size_t part = part_of(row);
  std::int64_t before = 0;
  for (std::size_t i = 0; i < part; ++i) before += parts_[i]->num_series();
  return before + parts_[part]->series(row - firsts_[part]);
}

const SeriesScale* JoinedSplit::scale(std::int64_t row) const noexcept {
  const std::size_t part = part_of(row);
  return parts_[part]->scale(row - firsts_[part]);
}

std::vector<std::int64_t> JoinedSplit::chunks() const {
  std::vector<std::int64_t> firsts;
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    for (const std::int64_t first : parts_[part]->chunks()) {
      firsts.push_back(firsts_[part] + first);
    }
    firsts.pop_back();  // the first row of the next part
  }
  firsts.push_back(size());
  return firsts;
}

bool JoinedSplit::wants_chunks() const {
  return std::ranges::any_of(parts_, [](const auto& part) { return part->wants_chunks(); });
}

std::string JoinedSplit::where(std::int64_t row) const {
  const std::size_t part = part_of(row);
  return parts_[part]->where(row - firsts_[part]);
}

bool JoinedSplit::has_targets() const noexcept {
  return std::ranges::all_of(parts_, [](const auto& part) { return part->has_targets(); });
}

WindowPlace JoinedSplit::place(std::int64_t row) const {
  const std::size_t part = part_of(row);
  return parts_[part]->place(row - firsts_[part]);
}

void JoinedSplit::read(std::span<const std::int64_t> rows, Batch& batch) {
  for (auto& part : rows_) part.clear();
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size()) {
      throw InvalidArgument(fmt::format("no row {}, of {}", row, size()));
    }
    const std::size_t part = part_of(row);
    rows_[part].push_back(row - firsts_[part]);
  }
  for (std::size_t part = 0; part < parts_.size(); ++part) {
    if (rows_[part].size() == rows.size()) return parts_[part]->read(rows_[part], batch);
    if (!rows_[part].empty()) parts_[part]->read(rows_[part], batches_[part]);
  }
  clear(batch);
  std::ranges::fill(taken_, 0);
  for (const std::int64_t row : rows) {
    const std::size_t part = part_of(row);
    append_row(batches_[part], taken_[part]++, batch);
  }
}

}  // namespace quadgate
