#include "engine/native/gradient_tile.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <iterator>
#include <numeric>

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
        rows_(low_tiles() ? 64 : kRows),
        width_(kernels::kPanelVectors * kernels_.lanes),
        at_once_(bf16_ ? width_ : std::ssize(right_) / (rows_ * width_) * width_),
        left_step_(gathers_left_ ? ceil_div(tile.left_width, kernels_.lanes) * kernels_.lanes
                                 : tile.left_width) {
    join_blocks();
  }

  void run() noexcept {
    for (std::int64_t first = 0; first < tile_.depth; first += rows_) {
      const std::int64_t rows = std::min(rows_, tile_.depth - first);
      if (gathers_left_) gather_left(first, rows);
      if (tile_.left_sums != nullptr) sum_left(first, rows);
      for (std::int64_t column = 0; column < tile_.columns; column += at_once_) {
        const std::int64_t columns = std::min(at_once_, tile_.columns - column);
        const float* const right = this->right(first, rows, column, columns);
        multiply(first, rows, right, column, columns);
      }
    }
    if (joins_) copy_out();
  }

 private:
  using Start = kernels::Output::Start;
  using Block = GradientTile::Block;
  static constexpr std::int64_t kRows = 256;  // at most
  static constexpr std::int64_t kWidest = 16 * kernels::kPanelVectors;

  /// Those of AVX2 have 3 rows, and its machines may have first-level caches of 32 KiB.
  bool low_tiles() const noexcept { return kernels_.lanes < 16; }

  /// Blocks whose rows follow each other in a panel.
  struct Strip {
    std::int64_t panel, first_row, rows;
    float* sums;  // [rows, columns], rows `stride` apart
    std::int64_t stride;
  };

  /// Low tiles cut a strip of 32 rows better than four blocks of 8. Sums of strips follow each
  /// other in an array of ours until the last pass.
  void join_blocks() noexcept {
    const std::int64_t rows =
        std::transform_reduce(blocks_.begin(), blocks_.end(), std::int64_t{0}, std::plus<>(),
                              [](const Block& block) { return block.rows; });
    joins_ = low_tiles() && !gathers_left_ && rows * tile_.columns <= std::ssize(left_or_sums_);
    float* sums = left_or_sums_.data();
    for (const Block& block : blocks_) {
      if (!joins_) {
        add_strip(block, block.target, tile_.target_stride);
      } else if (follows(block)) {
        strips_[count_ - 1].rows += block.rows;
      } else {
        add_strip(block, sums, tile_.columns);
      }
      sums += joins_ ? block.rows * tile_.columns : 0;
    }
  }

  bool follows(const Block& block) const noexcept {
    if (count_ == 0) return false;
    const Strip& last = strips_[count_ - 1];
    return last.panel == block.panel && last.first_row + last.rows == block.first_row;
  }

  void add_strip(const Block& block, float* sums, std::int64_t stride) noexcept {
    strips_[count_++] = {.panel = block.panel,
                         .first_row = block.first_row,
                         .rows = block.rows,
                         .sums = sums,
                         .stride = stride};
  }

  void copy_out() noexcept {
    const float* from = left_or_sums_.data();
    for (const auto& block : blocks_) {
      for (std::int64_t row = 0; row < block.rows; ++row) {
        std::copy_n(from, tile_.columns, block.target + row * tile_.target_stride);
        from += tile_.columns;
      }
    }
  }

  float* gathered_left(std::int64_t panel) noexcept {
    return left_or_sums_.data() + panel * (bf16_ ? kRows / 2 : kRows) * kWidest;
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
      const std::int64_t stride = tile_.left_stride > 0 ? tile_.left_stride : tile_.left_width / 2;
      kernels_.interleave({.rows = rows,
                           .index = nullptr,
                           .from = tile_.left[panel] + first * stride,
                           .from_stride = stride,
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

  /// Some columns of the right side as the product kernel wants them: where they lie, if these are
  /// rows of whole vectors without gaps.
  const float* right(std::int64_t first, std::int64_t rows, std::int64_t column,
                     std::int64_t columns) noexcept {
    const bool is_panel = !bf16_ && columns == tile_.right.stride && columns <= width_ &&
                          columns % kernels_.lanes == 0;
    const std::int64_t row = is_panel ? first_in_run(first, rows) : -1;
    if (row >= 0) return tile_.right.at(row) + tile_.first_column + column;
    gather_right(first, rows, tile_.first_column + column, columns);
    return right_.data();
  }

  /// The first of the rows on the right side, if these follow each other there; -1 if not.
  std::int64_t first_in_run(std::int64_t first, std::int64_t rows) const noexcept {
    if (tile_.right_rows == nullptr) return first;
    const std::int64_t* const index = tile_.right_rows + first;
    std::int64_t others = 0;
    for (std::int64_t row = 1; row < rows; ++row) others |= index[row] - index[0] - row;
    return others == 0 ? index[0] : -1;
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

  /// With some columns of the right side.
  void multiply(std::int64_t first, std::int64_t rows, const float* right,
                std::int64_t first_column, std::int64_t count) noexcept {
    const std::int64_t depth = bf16_ ? (rows + 1) / 2 : rows;
    for (std::int64_t column = 0; column < count; column += width_) {
      for (const Strip& strip : std::span(strips_).first(count_)) {
        kernels_.product(strip.rows, depth,
                         {.data = left(strip.panel, first) + strip.first_row,
                          .row_stride = 1,
                          .step = left_step_,
                          .run = depth,
                          .run_stride = 0},
                         right + column * depth,
                         {.data = strip.sums + first_column + column,
                          .stride = strip.stride,
                          .columns = std::min(width_, count - column),
                          .start = first == 0 ? Start::zero : Start::add,
                          .bias = nullptr});
      }
    }
  }

  const GradientTile& tile_;
  std::span<Block> blocks_;
  const kernels::MatrixKernels& kernels_;
  bool bf16_;
  bool gathers_left_;
  std::int64_t rows_;  // of a pass
  std::int64_t width_;
  std::int64_t at_once_;  // columns that are gathered
  std::int64_t left_step_;
  bool joins_ = false;
  std::size_t count_ = 0;  // of strips
  std::array<Strip, GradientTile::kMostPanels * kernels::kPanelVectors> strips_;
  alignas(64) std::array<float, kRows * kWidest> right_;
  alignas(64) std::array<float, GradientTile::kMostPanels*(kRows / 2) * kWidest> left_or_sums_;
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
