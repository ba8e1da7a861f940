#include "engine/gradient_accumulator.h"

#include <cmath>
#include <numeric>

#include "engine/flat_tiles.h"

namespace quadgate {

GradientAccumulator::GradientAccumulator(std::size_t size)
    : sum_(size), squares_((size + kFlatTile - 1) / kFlatTile) {}

void GradientAccumulator::add(Arena& arena, std::span<const float> gradients) {
  for_each_tile(arena, sum_.size(), [&](std::size_t start, std::int64_t length) {
    const auto size = static_cast<std::size_t>(length);
    const std::span<float> sum = sum_.span().subspan(start, size);
    double square = 0;
    for (std::size_t i = 0; i < size; ++i) {
      sum[i] = count_ == 0 ? gradients[start + i] : sum[i] + gradients[start + i];
      square += static_cast<double>(sum[i]) * sum[i];
    }
    squares_[start / kFlatTile] = square;
  });
  norm_ = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
  ++count_;
}

}  // namespace quadgate
