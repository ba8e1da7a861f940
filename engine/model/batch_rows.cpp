#include "engine/model/batch_rows.h"

#include <vector>

namespace quadgate {
namespace {

/// Appends items `first` to `end` of `items` equal parts of `from`.
template <typename T>
void append(const std::vector<T>& from, std::int64_t items, std::int64_t first, std::int64_t end,
            std::vector<T>& to) {
  const auto width = static_cast<std::ptrdiff_t>(from.size()) / items;
  to.insert(to.end(), from.begin() + first * width, from.begin() + end * width);
}

}  // namespace

void clear(Batch& batch) {
  batch.x.clear();
  batch.tokens.clear();
  batch.labels.clear();
  batch.targets.clear();
  batch.offsets.assign(1, 0);
}

void append_rows(const Batch& from, std::int64_t first_row, std::int64_t end_row, Batch& to) {
  if (first_row == end_row) return;
  const std::int64_t first = from.offsets[static_cast<std::size_t>(first_row)];
  const std::int64_t end = from.offsets[static_cast<std::size_t>(end_row)];
  append(from.x, from.steps(), first, end, to.x);
  append(from.tokens, from.steps(), first, end, to.tokens);
  append(from.targets, from.rows(), first_row, end_row, to.targets);
  // Where rows and steps are as many, a row's label is the step's.
  if (static_cast<std::int64_t>(from.labels.size()) == from.rows()) {
    append(from.labels, from.rows(), first_row, end_row, to.labels);
  } else {
    append(from.labels, from.steps(), first, end, to.labels);
  }
  const std::int64_t shift = to.offsets.back() - first;
  for (std::int64_t row = first_row; row < end_row; ++row) {
    to.offsets.push_back(from.offsets[static_cast<std::size_t>(row) + 1] + shift);
  }
}

}  // namespace quadgate
