#include "engine/gradient_tile.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

namespace quadgate {

double compute(const GradientTile& tile, std::span<const GradientTile::Output> outputs,
               kernels::ProductKernel product, std::int64_t lanes) noexcept {
  // A block of right rows is brought together, so that it lies in the first-level cache as the
  // kernel wants it.
  constexpr std::int64_t kBlock = 512;
  constexpr std::int64_t kWidest = 16 * kernels::kPanelVectors;
  alignas(64) std::array<float, kBlock * kWidest> block;
  const std::int64_t width = (tile.columns + lanes - 1) / lanes * lanes;
  std::fill_n(block.data(), kBlock * width, 0.0F);
  for (std::int64_t first = 0; first < tile.depth; first += kBlock) {
    const std::int64_t depth = std::min(kBlock, tile.depth - first);
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t row = tile.right_rows == nullptr ? first + k : tile.right_rows[first + k];
      float* const to = block.data() + k * width;
      if (row < 0) {
        std::fill_n(to, tile.columns, 0.0F);
      } else {
        std::copy_n(tile.right.at(row) + tile.first_column, tile.columns, to);
      }
    }
    for (const auto& output : outputs) {
      product(tile.rows, depth,
              {.data = output.left + first * tile.left_step,
               .row_stride = 1,
               .step = tile.left_step,
               .run = depth,
               .run_stride = 0},
              block.data(),
              {.data = output.target,
               .stride = tile.target_stride,
               .columns = tile.columns,
               .start = first == 0 ? kernels::ProductTarget::Start::zero
                                   : kernels::ProductTarget::Start::add,
               .bias = nullptr});
    }
  }
  double squares = 0;
  for (const auto& output : outputs) {
    for (std::int64_t row = 0; row < tile.rows; ++row) {
      squares += sum_of_squares(
          {output.target + row * tile.target_stride, static_cast<std::size_t>(tile.columns)});
    }
  }
  return squares;
}

double sum_of_squares(std::span<const float> values) noexcept {
  constexpr std::size_t kSums = 16;  // enough for the compiler to add them side by side
  std::array<float, kSums> sums{};
  std::size_t i = 0;
  for (; i + kSums <= values.size(); i += kSums) {
    for (std::size_t j = 0; j < kSums; ++j) sums[j] += values[i + j] * values[i + j];
  }
  for (; i < values.size(); ++i) sums[i % kSums] += values[i] * values[i];
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

}  // namespace quadgate
