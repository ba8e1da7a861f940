#pragma once

#include <cstdint>

#include "kernels/matrix/product/product.h"
#include "kernels/simd/tile.h"
#include "kernels/simd/width.h"

namespace quadgate::kernels {

void product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                    const Output& c) noexcept;
void product_avx2(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                  const Output& c) noexcept;
void product_avx512(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                    const Output& c) noexcept;

namespace {

/// product_scalar with vectors. The registers hold kSums of them as sums. Those of a panel of the
/// right side have kPanelLanes lanes.
template <typename Vec, std::int64_t kSums, typename Term = MultiplyAdd,
          std::int64_t kPanelLanes = Vec::kLanes>
class Product {
 public:
  static void run(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                  const Output& c) noexcept {
    with_vectors<Vec>(c.columns, [&]<std::int64_t kColumns>() noexcept {
      run_columns<kColumns>(rows, depth, a, b, c);
    });
  }

  /// The same for the columns of one vector.
  static void run_vector(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                         const Output& c) noexcept {
    run_columns<1>(rows, depth, a, b, c);
  }

 private:
  static constexpr std::int64_t most_rows(std::int64_t columns) noexcept {
    return kSums / columns < 12 ? kSums / columns : 12;
  }

  /// The depth of a block of `b`, which stays in the caches while all rows pass. AVX2's tiles have
  /// fewer rows, and read it more often: it fits the first-level cache.
  static constexpr std::int64_t kBlock = Vec::kLanes < 16 ? 256 : 512;

  template <std::int64_t kColumns>
  static void run_columns(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                          const Output& c) noexcept {
    if (rows == 0) return;
    if (depth == 0) return run_block<kColumns>(rows, 0, a, b, c);
    Lhs left = a;
    Output target = c;
    std::int64_t first = 0;
    while (first < depth) {
      // A block ends where a run does, or lies within one.
      const std::int64_t in_run = first % a.run;
      std::int64_t block = in_run != 0 || a.run > kBlock ? a.run - in_run : kBlock / a.run * a.run;
      block = block < kBlock ? block : kBlock;
      block = block < depth - first ? block : depth - first;
      left.data = a.data + first / a.run * a.run_stride + in_run * a.step;
      run_block<kColumns>(rows, block, left, b + first * kColumns * kPanelLanes, target);
      target.start = Output::Start::add;
      first += block;
    }
  }

  template <std::int64_t kColumns>
  static void run_block(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                        const Output& c) noexcept {
    Lhs left = a;
    Output target = c;
    while (rows > 0) {
      const std::int64_t height = even_tile(rows, most_rows(kColumns));
      run_rows<kColumns, most_rows(kColumns)>(height, depth, left, b, target);
      left.data += height * a.row_stride;
      target.data += height * c.stride;
      rows -= height;
    }
  }

  template <std::int64_t kColumns, std::int64_t kRows>
  static void run_rows(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                       const Output& c) noexcept {
    if constexpr (kRows > 1) {
      if (rows < kRows) return run_rows<kColumns, kRows - 1>(rows, depth, a, b, c);
    }
    run_tile<kRows, kColumns>(depth, a, b, c);
  }

  /// Fetches the sums of the tile below. They may come from memory: those of a weight's gradient,
  /// to which some rows at a time are added.
  template <std::int64_t kRows, std::int64_t kColumns>
  static void prefetch_sums(const Output& c) noexcept {
    constexpr std::int64_t kLine = 16;  // floats
    for (std::int64_t row = kRows; row < 2 * kRows; ++row) {
      for (std::int64_t i = 0; i < kColumns * Vec::kLanes; i += kLine) {
        __builtin_prefetch(c.data + row * c.stride + i, 1);
      }
    }
  }

  template <std::int64_t kRows, std::int64_t kColumns>
  [[gnu::noinline]] static void run_tile(std::int64_t depth, const Lhs& a, const float* b,
                                         const Output& c) noexcept {
    constexpr std::int64_t kLast = (kColumns - 1) * Vec::kLanes;
    const auto mask = Vec::first(c.columns - kLast);
    Tile<Vec, kRows, kColumns, Term, kColumns * kPanelLanes> tile;
    if (c.start == Output::Start::add) {
      prefetch_sums<kRows, kColumns>(c);
      tile.load(c.data, c.stride, mask);
    } else if (c.start == Output::Start::bias) {
      tile.load(c.bias, 0, Vec::first(Vec::kLanes));
    } else {
      tile.clear();
    }
    tile.add_product(a.data, a.row_stride, a.step, depth, a.run, a.run_stride, b);
    tile.store(c.data, c.stride, mask);
  }
};

}  // namespace
}  // namespace quadgate::kernels
