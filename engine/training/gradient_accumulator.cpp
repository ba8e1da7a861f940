#include "engine/training/gradient_accumulator.h"

#include <cmath>
#include <numeric>

#include "engine/threads/parallel_tiles.h"

namespace quadgate {

GradientAccumulator::GradientAccumulator(std::size_t size)
    : sum_(size), squares_((size + kFlatTile - 1) / kFlatTile) {}

void GradientAccumulator::clear() noexcept {
  for (const std::int32_t row : rows_) has_row_[static_cast<std::size_t>(row)] = false;
  rows_.clear();
  count_ = 0;
}

void GradientAccumulator::add_rows(const SparseRows& table) {
  table_ = {.size = table.size, .width = table.width};
  if (table.width == 0) return;
  const std::size_t count = table.size / static_cast<std::size_t>(table.width);
  has_row_.resize(count);
  rows_.reserve(count);
  for (const std::int32_t row : table.present) {
    if (has_row_[static_cast<std::size_t>(row)]) continue;
    has_row_[static_cast<std::size_t>(row)] = true;
    rows_.push_back(row);
  }
}

void GradientAccumulator::add(Arena& arena, const Gradient& gradient) {
  const std::span<const float> gradients = gradient.values;
  add_rows(gradient.rows);
  for_each_tile(arena, sum_.size(), [&](std::size_t start, std::int64_t length) {
    const auto size = static_cast<std::size_t>(length);
    const std::span<float> sum = sum_.span().subspan(start, size);
    double square = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const float added = gradient.scale * gradients[start + i];
      sum[i] = count_ == 0 ? added : sum[i] + added;
      square += static_cast<double>(sum[i]) * sum[i];
    }
    squares_[start / kFlatTile] = square;
  });
  norm_ = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
  ++count_;
}

}  // namespace quadgate
