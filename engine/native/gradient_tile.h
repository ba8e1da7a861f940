#pragma once

#include <cstdint>
#include <span>

#include "engine/native/row_view.h"
#include "kernels/matrix/matrix_kernels.h"

namespace quadgate::native {

/// One core's part of the weight gradients: blocks left^T right. The right side is the same for all
/// blocks. Each block sums over all packed rows in their order. With two left sides, each cut into
/// the four slots of an LSTM:
///
///                    left 0           left 1                  right
///     packed row 0 | i | f | g | o | | i | f | g | o |     | columns |
///     packed row 1 | i | f | g | o | | i | f | g | o |     | columns |
///     ...            |                         |
///                    block [i, columns]        block [g, columns], and six more
struct GradientTile {
  struct Block {
    std::int64_t panel = 0;      ///< which of the left sides
    std::int64_t first_row = 0;  ///< of the block, in the panel
    std::int64_t rows = 0;
    float* target = nullptr;  ///< [rows, columns], rows `target_stride` apart
    double square = 0;        ///< out: the sum of the block's squares
  };

  const kernels::MatrixKernels* kernels = nullptr;  ///< of the arithmetic of both sides
  std::int64_t depth = 0;                           ///< packed rows
  std::span<const float* const> left;  ///< at most kMostPanels, each [depth, left_width]; in
                                       ///< bf16 rounded, in pairs of neighbours
  std::int64_t left_width = 0;         ///< at most 4 vectors for left_sums, in bf16 always, and
                                       ///< then whole ones unless there is a left_stride
  std::int64_t left_stride = 0;        ///< between rows of left that do not follow each other: in
                                       ///< f32 at most 2 such left sides, of at most 4 vectors
  float* left_sums = nullptr;          ///< out: the sums over the rows of each left side,
                                       ///< [left sides, left_width]; null: none
  RowView right;                       ///< [depth, first_column + columns or more]; in bf16
                                       ///< pairs as well
  const std::int64_t* right_rows = nullptr;  ///< which of them belongs to each packed row of left,
                                             ///< -1: none; null: the same
  std::int64_t first_column = 0;             ///< even in bf16
  std::int64_t columns = 0;
  std::int64_t target_stride = 0;

  static constexpr std::size_t kMostPanels = 8;
};

/// Computes the blocks of a tile, at most kPanelVectors for each of kMostPanels.
void compute(const GradientTile& tile, std::span<GradientTile::Block> blocks) noexcept;

}  // namespace quadgate::native
