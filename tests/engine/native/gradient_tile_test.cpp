// Sweeps depths around the passes of 64, 128 and 256, heights and widths of a tile, lists of right
// rows with gaps, and in floats right sides without gaps, on every ISA in every arithmetic.
// Tolerance: half an epsilon of the terms' magnitudes for each of them, in bf16 of the rounded
// ones; 1e-6 of a sum of squares.

#include "engine/native/gradient_tile.h"
#include "kernels/base/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/base/isa.h"
#include "kernels/matrix/bf16/bf16.h"
#include "kernels/matrix/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::native {
namespace {

constexpr std::int64_t kFirstColumn = 4;
constexpr std::int64_t kPanels = 2;
constexpr std::int64_t kBlocks = 3;    // next to each other in the target: two that follow each
                                       // other in the first left side, one of the second
constexpr std::int64_t kFirstRow = 2;  // of the last one
constexpr std::int64_t kShift = 3;

/// What lies on the right side, and which of its rows are read.
enum class Right : std::uint8_t {
  all,             ///< more columns; all rows
  with_gaps,       ///< more columns; random rows and none
  joined,          ///< a row begins where the columns of the last one end; all rows
  joined_in_runs,  ///< likewise; none, then two runs of rows
};

class GradientTileTest : public kernels::EachIsa {
 protected:
  static double sum(const GradientTile& tile, const float* left, std::int64_t row,
                    const float* column, std::int64_t stride, double& terms) {
    double sum = 0;
    for (std::int64_t k = 0; k < tile.depth; ++k) {
      const std::int64_t right = tile.right_rows == nullptr ? k : tile.right_rows[k];
      if (right < 0) continue;
      const auto factor = [&](float value) {
        return tile.kernels->arithmetic == kernels::Arithmetic::floats
                   ? value
                   : testing::rounded_to_bf16(value);
      };
      const double term =
          double{factor(left[k * tile.left_width + row])} * factor(column[right * stride]);
      sum += term;
      terms += std::abs(term);
    }
    return sum;
  }

  static constexpr double kHalf = 0.5 * std::numeric_limits<float>::epsilon();

  /// The rows as bf16 reads them.
  static std::vector<float> pairs(const std::vector<float>& values, std::int64_t depth,
                                  std::int64_t width) {
    const std::int64_t stride = (width + 1) / 2;
    std::vector<float> pairs(static_cast<std::size_t>(depth * stride + 8));  // see Bf16Interleave
    kernels::bf16_rows_kernel(GetParam())({.rows = depth,
                                           .columns = width,
                                           .from = values.data(),
                                           .from_stride = width,
                                           .to = pairs.data(),
                                           .to_stride = stride});
    return pairs;
  }

  /// Computes a tile with random values and compares it, and what lies around it.
  void expect_formula(kernels::Arithmetic arithmetic, std::int64_t depth, std::int64_t rows,
                      std::int64_t columns, Right kind, bool with_sums) {
    const auto floats = [&](std::int64_t count) {
      return random_.values(static_cast<std::size_t>(count));
    };
    const auto kernels = kernels::matrix_kernels(GetParam(), arithmetic);
    const bool bf16 = arithmetic != kernels::Arithmetic::floats;
    GradientTile tile;
    tile.kernels = &kernels;
    tile.depth = depth;
    const bool whole_vectors = with_sums || bf16;
    tile.left_width = whole_vectors ? 4 * kernels.lanes : 2 * rows + kFirstRow;
    tile.columns = columns;
    const bool joined = kind == Right::joined || kind == Right::joined_in_runs;
    tile.first_column = kFirstColumn;
    const std::array left{floats(depth * tile.left_width), floats(depth * tile.left_width)};
    const std::array<const float*, kPanels> panels{left[0].data(), left[1].data()};
    const std::int64_t right_width = joined ? columns : kFirstColumn + columns + 3;
    const auto right = floats(depth * right_width + kFirstColumn);
    std::array sides{left[0], left[1], right};  // what is read
    if (bf16) {
      sides = {pairs(left[0], depth, tile.left_width), pairs(left[1], depth, tile.left_width),
               pairs(right, depth, right_width)};
    }
    const std::array<const float*, kPanels> left_sides{sides[0].data(), sides[1].data()};
    tile.left = left_sides;
    tile.right = {sides[2].data(), bf16 ? (right_width + 1) / 2 : right_width};
    auto sums = floats(kPanels * tile.left_width);
    if (with_sums) tile.left_sums = sums.data();
    std::vector<std::int64_t> right_rows;
    for (std::int64_t k = 0; k < depth; ++k) {
      const std::int64_t shifted = k < depth / 2 ? k - kShift : k - 2 * kShift;
      right_rows.push_back(joined       ? std::max<std::int64_t>(shifted, -1)
                           : k % 3 == 0 ? -1
                                        : random_.integer(0, depth - 1));
    }
    if (kind == Right::with_gaps || kind == Right::joined_in_runs)
      tile.right_rows = right_rows.data();
    tile.target_stride = kBlocks * columns + 1;
    const auto before = floats(rows * tile.target_stride);
    auto target = before;
    std::array<GradientTile::Block, kBlocks> blocks;
    blocks[0] = {.panel = 0, .first_row = 0, .rows = rows, .target = target.data()};
    blocks[1] = {.panel = 0, .first_row = rows, .rows = rows, .target = target.data() + columns};
    blocks[2] = {
        .panel = 1, .first_row = kFirstRow, .rows = rows, .target = target.data() + 2 * columns};
    compute(tile, blocks);

    std::array<double, kBlocks> squares{};
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < kBlocks * columns; ++column) {
        double terms = 0;
        const auto block = static_cast<std::size_t>(column / columns);
        const double expected =
            sum(tile, panels[static_cast<std::size_t>(blocks[block].panel)],
                blocks[block].first_row + row, right.data() + kFirstColumn + column % columns,
                right_width, terms);
        const float actual = target[static_cast<std::size_t>(row * tile.target_stride + column)];
        ASSERT_NEAR(actual, expected, kHalf * static_cast<double>(depth) * terms)
            << row << ", " << column;
        squares[block] += double{actual} * actual;
      }
      const auto behind = static_cast<std::size_t>((row + 1) * tile.target_stride - 1);
      ASSERT_EQ(target[behind], before[behind]) << "behind row " << row;
    }
    const std::vector<float> ones(static_cast<std::size_t>(depth), 1);
    tile.right_rows = nullptr;
    for (std::int64_t i = 0; with_sums && i < kPanels * tile.left_width; ++i) {
      double terms = 0;
      const double expected = sum(tile, panels[static_cast<std::size_t>(i / tile.left_width)],
                                  i % tile.left_width, ones.data(), 1, terms);
      ASSERT_NEAR(sums[static_cast<std::size_t>(i)], expected,
                  kHalf * static_cast<double>(depth) * terms)
          << "sum " << i;
    }
    for (std::size_t block = 0; block < kBlocks; ++block) {
      ASSERT_NEAR(blocks[block].square, squares[block], 1e-6 * squares[block]);
    }
  }

  /// Whether its tiles are those that the scalar case has had.
  static bool emulates_again() {
    return GetParam() != kernels::Isa::scalar && GetParam() != kernels::Isa::amx_bf16;
  }

  void expect_formulas(kernels::Arithmetic arithmetic, std::initializer_list<std::int64_t> depths) {
    using kernels::Arithmetic;
    const std::int64_t vector = kernels::vector_lanes(GetParam(), arithmetic);
    for (const std::int64_t depth : depths) {
      for (const std::int64_t rows : {1, 5, 16}) {
        for (const std::int64_t columns :
             {std::int64_t{1}, 2 * vector + 1, 4 * vector, 9 * vector + 1}) {
          for (const Right right :
               {Right::all, Right::with_gaps, Right::joined, Right::joined_in_runs}) {
            if (arithmetic != Arithmetic::floats && right > Right::with_gaps) continue;
            expect_formula(arithmetic, depth, rows, columns, right, rows == 1);
            ASSERT_FALSE(HasFailure())
                << "arithmetic " << static_cast<int>(arithmetic) << ", depth " << depth << ", rows "
                << rows << ", columns " << columns << ", right " << static_cast<int>(right);
          }
        }
      }
    }
  }

  testing::Random random_{1};
};

using kernels::Arithmetic;

TEST_P(GradientTileTest, IsTheProductOverAllRowsInEveryShape) {
  for (const Arithmetic arithmetic : {Arithmetic::floats, Arithmetic::pairs, Arithmetic::tiles}) {
    if (arithmetic == Arithmetic::tiles && emulates_again()) continue;
    expect_formulas(arithmetic, {1, 63, 64, 65, 129, 255, 256, 257, 600});
  }
}

TEST_P(GradientTileTest, TilesAreTheProductOverAllRows) {
  if (emulates_again()) return;
  expect_formulas(Arithmetic::tiles, {1, 65, 257});
}

INSTANTIATE_TEST_SUITE_P(Isa, GradientTileTest, kernels::all_isas(), kernels::isa_name);

}  // namespace
}  // namespace quadgate::native
