#pragma once

#include <cstdint>
#include <span>

#include "engine/packed_rows.h"
#include "kernels/product/product.h"

namespace quadgate {

/// One core's part of weight gradients: for each of `outputs`, the block [rows, columns] of
/// left^T right, summed over all packed rows in their order.
struct GradientTile {
  /// left [depth, rows], steps `step` floats apart, and where the block goes.
  struct Output {
    const float* left = nullptr;
    float* target = nullptr;
  };

  std::int64_t depth = 0;  ///< packed rows
  std::int64_t rows = 0;
  std::int64_t left_step = 0;
  PackedRows right;                          ///< [depth, first_column + columns or more]
  const std::int64_t* right_rows = nullptr;  ///< which of them belongs to each packed row of left,
                                             ///< -1: none; null: the same
  std::int64_t first_column = 0;
  std::int64_t columns = 0;  ///< at most kPanelVectors * lanes
  std::int64_t target_stride = 0;
};

/// Computes the tile with the product kernel of `lanes` floats a vector; returns the sum of the
/// squares of what it wrote.
double compute(const GradientTile& tile, std::span<const GradientTile::Output> outputs,
               kernels::ProductKernel product, std::int64_t lanes) noexcept;

/// The sum of squares, in an order that depends on the size alone.
double sum_of_squares(std::span<const float> values) noexcept;

}  // namespace quadgate
