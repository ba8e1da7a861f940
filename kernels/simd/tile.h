#pragma once

// For the files of one instruction set, like math.h.

#include <cstddef>
#include <cstdint>

namespace quadgate::kernels {
namespace {

/// A term of a product: a float times a float.
struct MultiplyAdd {
  template <typename Vec>
  static Vec add(Vec left, Vec right, Vec sum) noexcept {
    return fma(left, right, sum);
  }
};

/// A term of a product over pairs: two numbers of bf16 times two (bf16/bf16.h).
struct AddPairs {
  template <typename Vec>
  static Vec add(Vec left, Vec right, Vec sum) noexcept {
    return add_pairs(left, right, sum);
  }
};

/// A block of a product's result in registers: kRows rows of kColumns vectors. A row of the right
/// side is kWidth wide.
template <typename Vec, std::int64_t kRows, std::int64_t kColumns, typename Term = MultiplyAdd,
          std::int64_t kWidth = kColumns* Vec::kLanes>
class Tile {
 public:
  Tile() noexcept {}  // NOLINT(*-member-init, *-use-equals-default): load or clear comes next

  Vec sums[static_cast<std::size_t>(kRows)][static_cast<std::size_t>(kColumns)];

  void clear() noexcept {
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (std::int64_t column = 0; column < kColumns; ++column) {
        sums[row][column] = Vec::broadcast(0.0F);
      }
    }
  }

  /// Rows `stride` floats apart; the last vector of each is masked.
  void load(const float* from, std::int64_t stride, typename Vec::Mask mask) noexcept {
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (std::int64_t column = 0; column < kColumns; ++column) {
        const float* const at = from + row * stride + column * kLanes;
        sums[row][column] = column + 1 < kColumns ? Vec::load(at) : Vec::load(at, mask);
      }
    }
  }
  void store(float* to, std::int64_t stride, typename Vec::Mask mask) const noexcept {
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kRows; ++row) {
#pragma GCC unroll 16
      for (std::int64_t column = 0; column < kColumns; ++column) {
        float* const at = to + row * stride + column * kLanes;
        column + 1 < kColumns ? sums[row][column].store(at) : sums[row][column].store(at, mask);
      }
    }
  }

  /// sums += a b, term after term: `a` [kRows, depth] has element (r, k) at r * row_stride +
  /// k % run * step + k / run * run_stride; `b` is [depth, kWidth].
  void add_product(const float* a, std::int64_t row_stride, std::int64_t step, std::int64_t depth,
                   std::int64_t run, std::int64_t run_stride, const float* b) noexcept {
    while (depth > 0) {
      const std::int64_t length = run < depth ? run : depth;
      const float* left = a;
#pragma GCC unroll 4
      for (std::int64_t k = 0; k < length; ++k) {
        if constexpr (kRows < kColumns) {
          add_rows_held(left, row_stride, b);
        } else {
          add_columns_held(left, row_stride, b);
        }
        left += step;
        b += kWidth;
      }
      a += run_stride;
      depth -= length;
    }
  }

 private:
  static constexpr std::int64_t kLanes = Vec::kLanes;

  // One term. The shorter side waits in registers, so that the sums, it and one value of the other
  // side fill the registers and no more.

  void add_rows_held(const float* a, std::int64_t row_stride, const float* b) noexcept {
    Vec left[static_cast<std::size_t>(kRows)];
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kRows; ++row) {
      left[row] = Vec::broadcast(a[row * row_stride]);
      left[row].hold();
    }
#pragma GCC unroll 16
    for (std::int64_t column = 0; column < kColumns; ++column) {
      Vec right = Vec::load(b + column * kLanes);
      right.hold();
#pragma GCC unroll 16
      for (std::int64_t row = 0; row < kRows; ++row) {
        sums[row][column] = Term::add(left[row], right, sums[row][column]);
      }
    }
  }

  void add_columns_held(const float* a, std::int64_t row_stride, const float* b) noexcept {
    Vec right[static_cast<std::size_t>(kColumns)];
#pragma GCC unroll 16
    for (std::int64_t column = 0; column < kColumns; ++column) {
      right[column] = Vec::load(b + column * kLanes);
      right[column].hold();
    }
#pragma GCC unroll 16
    for (std::int64_t row = 0; row < kRows; ++row) {
      const Vec left = Vec::broadcast(a[row * row_stride]);
#pragma GCC unroll 16
      for (std::int64_t column = 0; column < kColumns; ++column) {
        sums[row][column] = Term::add(left, right[column], sums[row][column]);
      }
    }
  }
};

/// The rows of the first tile, if `rows` are cut into tiles of at most `most` as evenly as can be.
inline std::int64_t even_tile(std::int64_t rows, std::int64_t most) noexcept {
  const std::int64_t tiles = (rows + most - 1) / most;
  return (rows + tiles - 1) / tiles;
}

}  // namespace
}  // namespace quadgate::kernels
