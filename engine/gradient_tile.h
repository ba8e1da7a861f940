#pragma once

#include <cstdint>
#include <span>

#include "engine/packed_rows.h"
#include "kernels/product/product.h"

namespace quadgate {

/// One core's part of weight gradients: blocks left^T right [rows, columns], each summed over all
/// packed rows in their order. The right side is the same for all blocks.
struct GradientTile {
  struct Block {
    const float* left = nullptr;  ///< [depth, rows], steps `left_step` floats apart
    std::int64_t rows = 0;
    float* target = nullptr;  ///< [rows, columns], rows `target_stride` apart
    double square = 0;        ///< set: the sum of the block's squares
  };

  std::int64_t depth = 0;  ///< packed rows
  std::int64_t left_step = 0;
  PackedRows right;                          ///< [depth, first_column + columns or more]
  const std::int64_t* right_rows = nullptr;  ///< which of them belongs to each packed row of left,
                                             ///< -1: none; null: the same
  std::int64_t first_column = 0;
  std::int64_t columns = 0;  ///< at most kPanelVectors vectors
  std::int64_t target_stride = 0;
};

/// Computes the blocks of a tile.
void compute(const GradientTile& tile, std::span<GradientTile::Block> blocks,
             kernels::Isa isa) noexcept;

/// The sum of squares, in an order that depends on the size alone.
double sum_of_squares(std::span<const float> values) noexcept;

}  // namespace quadgate
