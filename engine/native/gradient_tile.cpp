#include "engine/native/gradient_tile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <iterator>

#include "engine/base/ceil_div.h"
#include "kernels/base/panels.h"

namespace quadgate::native {
namespace {

/// Gathers some of the packed rows at a time as the product kernel wants them. They stay in the
/// caches while all blocks pass.
class Passes {
 public:
  // The arrays are not initialized. Each pass writes what it reads.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  Passes(const GradientTile& tile, std::span<GradientTile::Block> blocks) noexcept
      : tile_(tile),
        blocks_(blocks),
        kernels_(*tile.kernels),
        bf16_(kernels_.arithmetic != kernels::Arithmetic::floats),
        gathers_left_(bf16_ || tile.left_stride > 0),
        rows_(kernels_.lanes < 16 ? 128 : kRows),
        width_(kernels::kPanelVectors * kernels_.lanes),
        left_step_(gathers_left_ ? ceil_div(tile.left_width, kernels_.lanes) * kernels_.lanes
                                 : tile.left_width) {}

  void run() noexcept {
    for (std::int64_t first = 0; first < tile_.depth; first += rows_) {
      const std::int64_t rows = std::min(rows_, tile_.depth - first);
      if (gathers_left_) gather_left(first, rows);
      if (tile_.left_sums != nullptr) sum_left(first, rows);
      for (std::int64_t column = 0; column < tile_.columns; column += width_) {
        const std::int64_t columns = std::min(width_, tile_.columns - column);
        gather_right(first, rows, tile_.first_column + column, columns);
        for (const auto& block : blocks_) multiply(block, first, rows, column, columns);
      }
    }
  }

 private:
  static constexpr std::int64_t kRows = 256;  // at most
  static constexpr std::int64_t kWidest = 16 * kernels::kPanelVectors;

  float* gathered_left(std::int64_t panel) noexcept {
    return left_.data() + panel * (bf16_ ? kRows / 2 : kRows) * kWidest;
  }

  void gather_left(std::int64_t first, std::int64_t rows) noexcept {
    for (std::size_t panel = 0; panel < tile_.left.size(); ++panel) {
      float* const to = gathered_left(static_cast<std::int64_t>(panel));
      if (!bf16_) {
        kernels_.gather({.rows = rows,
                         .index = nullptr,
                         .from = tile_.left[panel] + first * tile_.left_stride,
                         .from_stride = tile_.left_stride,
                         .columns = tile_.left_width,
                         .to = to});
        continue;
      }
      kernels_.interleave({.rows = rows,
                           .index = nullptr,
                           .from = tile_.left[panel] + first * tile_.left_width / 2,
                           .from_stride = tile_.left_width / 2,
                           .columns = tile_.left_width,
                           .to = to});
    }
  }

  const float* left(std::int64_t panel, std::int64_t first) noexcept {
    return gathers_left_ ? gathered_left(panel)
                         : tile_.left[static_cast<std::size_t>(panel)] + first * tile_.left_width;
  }

  /// The product of a row of ones with each left side.
  void sum_left(std::int64_t first, std::int64_t rows) noexcept {
    using Start = kernels::Output::Start;
    const float one = bf16_ ? std::bit_cast<float>(0x3F803F80U) : 1.0F;  // a pair of ones
    const std::int64_t depth = bf16_ ? (rows + 1) / 2 : rows;
    for (std::int64_t panel = 0; panel < std::ssize(tile_.left); ++panel) {
      kernels_.product(1, depth,
                       {.data = &one, .row_stride = 0, .step = 0, .run = depth, .run_stride = 0},
                       left(panel, first),
                       {.data = tile_.left_sums + panel * tile_.left_width,
                        .stride = 0,
                        .columns = tile_.left_width,
                        .start = first == 0 ? Start::zero : Start::add,
                        .bias = nullptr});
    }
  }

  void gather_right(std::int64_t first, std::int64_t rows, std::int64_t column,
                    std::int64_t columns) noexcept {
    const bool listed = tile_.right_rows != nullptr;
    if (bf16_) {
      return kernels_.interleave({.rows = rows,
                                  .index = listed ? tile_.right_rows + first : nullptr,
                                  .from = tile_.right.at(listed ? 0 : first) + column / 2,
                                  .from_stride = tile_.right.stride,
                                  .columns = columns,
                                  .to = right_.data()});
    }
    kernels_.gather({.rows = rows,
                     .index = listed ? tile_.right_rows + first : nullptr,
                     .from = tile_.right.at(listed ? 0 : first) + column,
                     .from_stride = tile_.right.stride,
                     .columns = columns,
                     .to = right_.data()});
  }

  void multiply(const GradientTile::Block& block, std::int64_t first, std::int64_t rows,
                std::int64_t column, std::int64_t columns) noexcept {
    using Start = kernels::Output::Start;
    const std::int64_t depth = bf16_ ? (rows + 1) / 2 : rows;
    kernels_.product(block.rows, depth,
                     {.data = left(block.panel, first) + block.first_row,
                      .row_stride = 1,
                      .step = left_step_,
                      .run = depth,
                      .run_stride = 0},
                     right_.data(),
                     {.data = block.target + column,
                      .stride = tile_.target_stride,
                      .columns = columns,
                      .start = first == 0 ? Start::zero : Start::add,
                      .bias = nullptr});
  }

  const GradientTile& tile_;
  std::span<GradientTile::Block> blocks_;
  const kernels::MatrixKernels& kernels_;
  bool bf16_;
  bool gathers_left_;
  std::int64_t rows_;  // of a pass. With AVX2 alone a first-level cache has 32 KiB: both sides
  std::int64_t width_;
  std::int64_t left_step_;
  alignas(64) std::array<float, kRows * kWidest> right_;
  alignas(64) std::array<float, GradientTile::kMostPanels*(kRows / 2) * kWidest> left_;
};

}  // namespace

void compute(const GradientTile& tile, std::span<GradientTile::Block> blocks) noexcept {
  Passes(tile, blocks).run();
  for (auto& block : blocks) {
    block.square =
        tile.kernels->sum_of_squares(block.rows, tile.columns, block.target, tile.target_stride);
  }
}

}  // namespace quadgate::native
