#pragma once

// For the files of one instruction set, like math.h.

#include <cstddef>
#include <cstdint>

namespace quadgate::kernels {
namespace {

/// A block of a product's result in registers: kRows rows of kColumns vectors.
template <typename Vec, std::int64_t kRows, std::int64_t kColumns>
class Tile {
 public:
  Vec sums[static_cast<std::size_t>(kRows)][static_cast<std::size_t>(kColumns)];

  /// sums += a b, term after term: `a` [kRows, depth] has element (r, k) at
  /// r * row_stride + k * step; `b` [depth, kColumns vectors] lies contiguous.
  void add_product(const float* a, std::int64_t row_stride, std::int64_t step, std::int64_t depth,
                   const float* b) noexcept {
#pragma GCC unroll 4
    for (std::int64_t k = 0; k < depth; ++k) {
      if constexpr (kRows < kColumns) {
        add_rows_held(a, row_stride, b);
      } else {
        add_columns_held(a, row_stride, b);
      }
      a += step;
      b += kColumns * kLanes;
    }
  }

 private:
  static constexpr std::int64_t kLanes = Vec::kLanes;

  // One term. The shorter side waits in registers, so that the sums, it and one value of the other
  // side fill the registers and no more.

  void add_rows_held(const float* a, std::int64_t row_stride, const float* b) noexcept {
    Vec left[static_cast<std::size_t>(kRows)];
    for (std::int64_t row = 0; row < kRows; ++row) {
      left[row] = Vec::broadcast(a[row * row_stride]);
      left[row].hold();
    }
    for (std::int64_t column = 0; column < kColumns; ++column) {
      Vec right = Vec::load(b + column * kLanes);
      right.hold();
      for (std::int64_t row = 0; row < kRows; ++row) {
        sums[row][column] = fma(left[row], right, sums[row][column]);
      }
    }
  }

  void add_columns_held(const float* a, std::int64_t row_stride, const float* b) noexcept {
    Vec right[static_cast<std::size_t>(kColumns)];
    for (std::int64_t column = 0; column < kColumns; ++column) {
      right[column] = Vec::load(b + column * kLanes);
      right[column].hold();
    }
    for (std::int64_t row = 0; row < kRows; ++row) {
      const Vec left = Vec::broadcast(a[row * row_stride]);
      for (std::int64_t column = 0; column < kColumns; ++column) {
        sums[row][column] = fma(left, right[column], sums[row][column]);
      }
    }
  }
};

/// The number of rows of the most even cut of `rows` into tiles of at most `most`: the first
/// tile's.
inline std::int64_t even_tile(std::int64_t rows, std::int64_t most) noexcept {
  const std::int64_t tiles = (rows + most - 1) / most;
  return (rows + tiles - 1) / tiles;
}

}  // namespace
}  // namespace quadgate::kernels
