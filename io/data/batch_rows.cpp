#include "io/data/batch_rows.h"

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

void append_row(const Batch& from, std::int64_t row, Batch& to) {
  const std::int64_t first = from.offsets[static_cast<std::size_t>(row)];
  const std::int64_t end = from.offsets[static_cast<std::size_t>(row) + 1];
  append(from.x, from.steps(), first, end, to.x);
  append(from.tokens, from.steps(), first, end, to.tokens);
  append(from.targets, from.rows(), row, row + 1, to.targets);
  // Where rows and steps are as many, a row's label is the step's.
  if (static_cast<std::int64_t>(from.labels.size()) == from.rows()) {
    append(from.labels, from.rows(), row, row + 1, to.labels);
  } else {
    append(from.labels, from.steps(), first, end, to.labels);
  }
  to.offsets.push_back(to.offsets.back() + end - first);
}

}  // namespace quadgate
