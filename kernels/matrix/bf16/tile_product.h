#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>
#include <utility>

#include "kernels/matrix/product/product.h"
#include "kernels/simd/width.h"

namespace quadgate::kernels {
namespace {

inline constexpr std::int64_t kTileSide = 16;

/// Calls body.template operator()<i>() for i = 0 to kCount - 1.
template <int kCount, typename Body>
void repeat(Body body) noexcept {
  [&]<int... kI>(std::integer_sequence<int, kI...>) noexcept {
    (body.template operator()<kI>(), ...);
  }
  (std::make_integer_sequence<int, kCount>{});
}

/// The product of bf16_tile_product_kernel. Tiles 0 to 3 are sums, 4 and 5 left sides, 6 and 7
/// right sides. Blocks of 32 rows have two tiles of sums in each of two columns of tiles, others
/// one in each of up to four. `Vec` is 16 floats.
template <typename Tiles, typename Vec>
class TileProduct {
 public:
  // Each array is written to before it is read.
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
  TileProduct(std::int64_t depth, const Lhs& a, const float* b, const Output& c) noexcept
      : depth_(depth), whole_(depth / kTileSide * kTileSide), a_(a), b_(b), c_(c) {}

  void run(std::int64_t rows) noexcept {
    with_vectors<Vec>(c_.columns,
                      [&]<std::int64_t kColumns>() noexcept { run_columns<kColumns>(rows); });
  }

 private:
  /// Some of the left side's depth, in rows of whole tiles, as `Lhs` has it with a step of 1.
  struct Left {
    const float* data;
    std::int64_t row_stride;
    std::int64_t run;  // whole tiles
    std::int64_t run_stride;
  };

  template <std::int64_t kColumns>
  void run_columns(std::int64_t rows) noexcept {
    copy_last_rows<kColumns>();
    while (rows > 0) {
      const std::int64_t height = rows >= 2 * kTileSide ? 2 * kTileSide
                                  : rows >= kTileSide   ? kTileSide
                                                        : rows;
      height == 2 * kTileSide ? run_rows<2, kColumns>(height) : run_rows<1, kColumns>(height);
      a_.data += height * a_.row_stride;
      c_.data += height * c_.stride;
      rows -= height;
    }
  }

  /// The last rows of the right side that are no whole tile, with zeros behind them.
  template <std::int64_t kColumns>
  void copy_last_rows() noexcept {
    if (whole_ == depth_) return;
    constexpr std::int64_t kWidth = kColumns * kTileSide;
    for (std::int64_t i = 0; i < kTileSide * kWidth; i += kTileSide) {
      const bool is_there = whole_ * kWidth + i < depth_ * kWidth;
      (is_there ? Vec::load(b_ + whole_ * kWidth + i) : Vec::broadcast(0.0F)).store(last_rows_ + i);
    }
  }

  /// A block of rows. Of the left side, whole tiles are read where they are, and others copied.
  template <int kRows, std::int64_t kColumns>
  void run_rows(std::int64_t height) noexcept {
    Output target = c_;
    const bool lies_in_tiles = a_.step == 1 && height == kRows * kTileSide &&
                               (a_.run % kTileSide == 0 || a_.run >= depth_);
    const std::int64_t direct = lies_in_tiles ? whole_ : 0;
    if (direct > 0 || depth_ == 0) {
      add_product<kRows, kColumns>({a_.data, a_.row_stride, a_.run, a_.run_stride}, 0, direct,
                                   height, target);
      target.start = Output::Start::add;
    }
    for (std::int64_t first = direct; first < depth_; first += kCopied) {
      const std::int64_t depth = depth_ - first < kCopied ? depth_ - first : kCopied;
      copy_left(first, depth, height, kRows);
      add_product<kRows, kColumns>({left_, kTileSide, kTileSide, kRows * kTileSide * kTileSide},
                                   first, depth, height, target);
      target.start = Output::Start::add;
    }
  }

  /// Copies `depth` pairs of the block's rows from the first on into tiles, with zeros around them.
  void copy_left(std::int64_t first, std::int64_t depth, std::int64_t height,
                 std::int64_t tiles) noexcept {
    float* to = left_;
    for (std::int64_t k = 0; k < depth; k += kTileSide) {
      const std::int64_t count = depth - k < kTileSide ? depth - k : kTileSide;
      for (std::int64_t row = 0; row < tiles * kTileSide; row += kTileSide) {
        const std::int64_t rows = height - row < kTileSide ? height - row : kTileSide;
        const float* const from = a_.data + row * a_.row_stride;
        if (a_.row_stride == 1 && a_.run >= depth_) {
          transpose_tile(from + (first + k) * a_.step, count, rows, to);
        } else {
          copy_tile(from, first + k, count, rows, to);
        }
        to += kTileSide * kTileSide;
      }
    }
  }

  void transpose_tile(const float* from, std::int64_t count, std::int64_t rows,
                      float* to) noexcept {
    Vec block[kTileSide];
    for (std::int64_t k = 0; k < kTileSide; ++k) {
      block[k] = k < count ? Vec::load(from + k * a_.step, Vec::first(rows)) : Vec::broadcast(0.0F);
    }
    transpose(block);
    for (std::int64_t row = 0; row < kTileSide; ++row) block[row].store(to + row * kTileSide);
  }

  void copy_tile(const float* from, std::int64_t first, std::int64_t count, std::int64_t rows,
                 float* to) noexcept {
    for (std::int64_t row = 0; row < kTileSide; ++row) {
      Vec::broadcast(0.0F).store(to + row * kTileSide);
    }
    std::int64_t length = 0;
    for (std::int64_t k = 0; k < count; k += length) {  // a piece of each run
      const std::int64_t in_run = (first + k) % a_.run;
      length = a_.run - in_run < count - k ? a_.run - in_run : count - k;
      const float* const at = from + (first + k) / a_.run * a_.run_stride + in_run * a_.step;
      for (std::int64_t row = 0; row < rows; ++row) {
        copy(at + row * a_.row_stride, length, to + row * kTileSide + k);
      }
    }
  }

  void copy(const float* from, std::int64_t length, float* to) const noexcept {
    if (a_.step == 1) {
      const auto mask = Vec::first(length);
      return Vec::load(from, mask).store(to, mask);
    }
    for (std::int64_t i = 0; i < length; ++i) to[i] = from[i * a_.step];
  }

  /// Adds the product over some of the depth, from the first pair on, to a block of rows.
  template <int kRows, std::int64_t kColumns>
  void add_product(const Left& left, std::int64_t first, std::int64_t depth, std::int64_t height,
                   const Output& c) noexcept {
    constexpr int kMost = 4 / kRows;
    constexpr int kWhole = kColumns / kMost;
    constexpr int kRest = kColumns % kMost;
    const auto add = [&]<int kCount>(std::int64_t column) noexcept {
      load_sums<kRows, kCount>(c, column, height);
      add_tiles<kRows, kColumns, kCount>(left, first, depth, column);
      store_sums<kRows, kCount>(c, column, height);
    };
    for (std::int64_t i = 0; i < kWhole; ++i) {
      add.template operator()<kMost>(i * kMost * kTileSide);
    }
    if constexpr (kRest > 0) add.template operator()<kRest>(kWhole * kMost * kTileSide);
  }

  template <int kRows, std::int64_t kColumns, int kCount>
  void add_tiles(const Left& left, std::int64_t first, std::int64_t depth,
                 std::int64_t column) noexcept {
    constexpr std::int64_t kWidth = kColumns * kTileSide;
    const float* run = left.data;
    std::int64_t in_run = 0;
    for (std::int64_t k = first; k < first + depth; k += kTileSide) {
      const float* const right = (k < whole_ ? b_ + k * kWidth : last_rows_) + column;
      repeat<kRows>([&]<int kRow>() noexcept {
        tiles_.template load<4 + kRow>(run + in_run + kRow * kTileSide * left.row_stride,
                                       left.row_stride);
      });
      repeat<kCount>([&]<int kColumn>() noexcept {
        constexpr int kRight = 6 + kColumn % 2;
        tiles_.template load<kRight>(right + kColumn * kTileSide, kWidth);
        repeat<kRows>([&]<int kRow>() noexcept {
          tiles_.template add_product<kRow * kCount + kColumn, 4 + kRow, kRight>();
        });
      });
      in_run += kTileSide;
      if (in_run >= left.run) {
        in_run = 0;
        run += left.run_stride;
      }
    }
  }

  template <int kRows, int kCount>
  void load_sums(const Output& c, std::int64_t column, std::int64_t height) noexcept {
    repeat<kRows>([&]<int kRow>() noexcept {
      repeat<kCount>([&]<int kColumn>() noexcept {
        constexpr int kSum = kRow * kCount + kColumn;
        const std::int64_t at = column + kColumn * kTileSide;
        float* const to = c.data + kRow * kTileSide * c.stride + at;
        if (c.start == Output::Start::zero) {
          tiles_.template clear<kSum>();
        } else if (c.start == Output::Start::bias) {
          tiles_.template load<kSum>(c.bias + at, 0);
        } else if (is_whole(c, at, height)) {
          tiles_.template load<kSum>(to, c.stride);
        } else {
          const auto mask = columns_of(c, at);
          for (std::int64_t row = 0; row < kTileSide; ++row) {
            (row < height ? Vec::load(to + row * c.stride, mask) : Vec::broadcast(0.0F))
                .store(sums_ + row * kTileSide);
          }
          tiles_.template load<kSum>(sums_, kTileSide);
        }
      });
    });
  }

  template <int kRows, int kCount>
  void store_sums(const Output& c, std::int64_t column, std::int64_t height) noexcept {
    repeat<kRows>([&]<int kRow>() noexcept {
      repeat<kCount>([&]<int kColumn>() noexcept {
        constexpr int kSum = kRow * kCount + kColumn;
        const std::int64_t at = column + kColumn * kTileSide;
        float* const to = c.data + kRow * kTileSide * c.stride + at;
        if (is_whole(c, at, height)) return tiles_.template store<kSum>(to, c.stride);
        tiles_.template store<kSum>(sums_, kTileSide);
        const auto mask = columns_of(c, at);
        for (std::int64_t row = 0; row < kTileSide && row < height; ++row) {
          Vec::load(sums_ + row * kTileSide).store(to + row * c.stride, mask);
        }
      });
    });
  }

  /// Whether all floats of a tile of sums that begins at a column are there.
  static bool is_whole(const Output& c, std::int64_t column, std::int64_t height) noexcept {
    return height >= kTileSide && c.columns - column >= kTileSide;
  }
  static auto columns_of(const Output& c, std::int64_t column) noexcept {
    return Vec::first(c.columns - column < kTileSide ? c.columns - column : kTileSide);
  }

  /// Pairs of the left side that are copied at once. They stay in the first-level cache.
  static constexpr std::int64_t kCopied = 128;

  Tiles tiles_;
  std::int64_t depth_;
  std::int64_t whole_;  // of it, in whole tiles
  Lhs a_;               // of the rows that are left, as c_
  const float* b_;
  Output c_;
  alignas(64) float left_[2 * kTileSide * kCopied];
  alignas(64) float last_rows_[kTileSide * 4 * kTileSide];
  alignas(64) float sums_[kTileSide * kTileSide];
};

}  // namespace
}  // namespace quadgate::kernels
