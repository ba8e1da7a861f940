#include "engine/gradient_tile.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

#include "kernels/isa.h"
#include "kernels/pack/pack.h"

namespace quadgate {

void compute(const GradientTile& tile, std::span<GradientTile::Block> blocks,
             kernels::Isa isa) noexcept {
  const auto product = kernels::product_kernel(isa);
  const auto gather = kernels::gather_kernel(isa);
  // Some of the right rows are brought together, so that it lies in the first-level cache as the
  // kernel wants it.
  constexpr std::int64_t kBlock = 256;
  constexpr std::int64_t kWidest = 16 * kernels::kPanelVectors;
  alignas(64) std::array<float, kBlock * kWidest> panel;
  const float* const right = tile.right.at(0) + tile.first_column;
  for (std::int64_t first = 0; first < tile.depth; first += kBlock) {
    const std::int64_t depth = std::min(kBlock, tile.depth - first);
    gather({.rows = depth,
            .index = tile.right_rows == nullptr ? nullptr : tile.right_rows + first,
            .from = tile.right_rows == nullptr ? right + first * tile.right.stride : right,
            .from_stride = tile.right.stride,
            .columns = tile.columns,
            .to = panel.data()});
    for (const auto& one : blocks) {
      product(one.rows, depth,
              {.data = one.left + first * tile.left_step,
               .row_stride = 1,
               .step = tile.left_step,
               .run = depth,
               .run_stride = 0},
              panel.data(),
              {.data = one.target,
               .stride = tile.target_stride,
               .columns = tile.columns,
               .start = first == 0 ? kernels::ProductTarget::Start::zero
                                   : kernels::ProductTarget::Start::add,
               .bias = nullptr});
    }
  }
  for (auto& one : blocks) {
    one.square = 0;
    for (std::int64_t row = 0; row < one.rows; ++row) {
      one.square += sum_of_squares(
          {one.target + row * tile.target_stride, static_cast<std::size_t>(tile.columns)});
    }
  }
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
