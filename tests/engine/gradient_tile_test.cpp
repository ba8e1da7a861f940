// Sweeps depths around the pass of 256, heights and widths of a tile, and lists of right rows with
// gaps, on every ISA in both precisions. Tolerance: half an epsilon of the terms' magnitudes for
// each of them, in bf16 of the rounded ones; 1e-6 of a sum of squares.

#include "engine/gradient_tile.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"
#include "kernels/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate {
namespace {

constexpr std::int64_t kFirstColumn = 3;
constexpr std::int64_t kBlocks = 2;    // one from each left side, next to each other in the target
constexpr std::int64_t kFirstRow = 2;  // of the second one

class GradientTileTest : public kernels::EachIsa {
 protected:
  void SetUp() override {
    EachIsa::SetUp();
    kernels::cap_isa(GetParam());
  }
  void TearDown() override { kernels::cap_isa(kernels::detected_isa()); }

  std::int64_t lanes(Precision precision) const {
    return precision == Precision::bf16
               ? 16
               : kernels::vector_lanes(GetParam(), kernels::PanelKind::fast);
  }

  static double sum(const GradientTile& tile, const float* left, std::int64_t row,
                    std::int64_t column, double& terms) {
    double sum = 0;
    for (std::int64_t k = 0; k < tile.depth; ++k) {
      const std::int64_t right = tile.right_rows == nullptr ? k : tile.right_rows[k];
      if (right < 0) continue;
      const auto factor = [&](float value) {
        return tile.precision == Precision::bf16 ? testing::rounded_to_bf16(value) : value;
      };
      const double term = double{factor(left[k * tile.left_width + row])} *
                          factor(tile.right.at(right)[tile.first_column + column]);
      sum += term;
      terms += std::abs(term);
    }
    return sum;
  }

  /// Computes a tile with random values and compares it, and what lies around it.
  void expect_formula(Precision precision, std::int64_t depth, std::int64_t rows,
                      std::int64_t columns, bool with_gaps) {
    const auto floats = [&](std::int64_t count) {
      return random_.values(static_cast<std::size_t>(count));
    };
    GradientTile tile;
    tile.depth = depth;
    tile.left_width = precision == Precision::bf16 ? 2 * lanes(precision) : kFirstRow + rows + 1;
    tile.columns = columns;
    tile.precision = precision;
    tile.first_column = kFirstColumn;
    const std::array left{floats(depth * tile.left_width), floats(depth * tile.left_width)};
    const std::array<const float*, kBlocks> panels{left[0].data(), left[1].data()};
    auto words = left;  // what bf16 reads in their place
    if (precision == Precision::bf16) {
      for (std::size_t panel = 0; panel < kBlocks; ++panel) {
        kernels::bf16_rows_kernel(GetParam())({.rows = depth,
                                               .columns = tile.left_width,
                                               .from = panels[panel],
                                               .from_stride = tile.left_width,
                                               .to = words[panel].data(),
                                               .to_stride = tile.left_width / 2});
      }
    }
    const std::array<const float*, kBlocks> sides{words[0].data(), words[1].data()};
    tile.left = sides;
    auto right = floats(depth * (kFirstColumn + columns + 2));
    tile.right = {right.data(), kFirstColumn + columns + 2};
    std::vector<std::int64_t> right_rows;
    for (std::int64_t k = 0; k < depth; ++k) {
      right_rows.push_back(k % 3 == 0 ? -1 : random_.integer(0, depth - 1));
    }
    if (with_gaps) tile.right_rows = right_rows.data();
    tile.target_stride = kBlocks * columns + 1;
    const auto before = floats(rows * tile.target_stride);
    auto target = before;
    std::array<GradientTile::Block, kBlocks> blocks;
    blocks[0] = {.panel = 0, .first_row = 0, .rows = rows, .target = target.data()};
    blocks[1] = {
        .panel = 1, .first_row = kFirstRow, .rows = rows, .target = target.data() + columns};
    compute(tile, blocks);

    std::array<double, kBlocks> squares{};
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < kBlocks * columns; ++column) {
        double terms = 0;
        const auto block = static_cast<std::size_t>(column / columns);
        const double expected =
            sum(tile, panels[block] + blocks[block].first_row, row, column % columns, terms);
        constexpr double kHalf = 0.5 * std::numeric_limits<float>::epsilon();
        const float actual = target[static_cast<std::size_t>(row * tile.target_stride + column)];
        ASSERT_NEAR(actual, expected, kHalf * static_cast<double>(depth) * terms)
            << row << ", " << column;
        squares[block] += double{actual} * actual;
      }
      const auto behind = static_cast<std::size_t>((row + 1) * tile.target_stride - 1);
      ASSERT_EQ(target[behind], before[behind]) << "behind row " << row;
    }
    for (std::size_t block = 0; block < kBlocks; ++block) {
      ASSERT_NEAR(blocks[block].square, squares[block], 1e-6 * squares[block]);
    }
  }

  testing::Random random_{1};
};

TEST_P(GradientTileTest, IsTheProductOverAllRowsInEveryShape) {
  for (const Precision precision : {Precision::f32, Precision::bf16}) {
    const std::int64_t vector = lanes(precision);
    for (const std::int64_t depth : {1, 127, 255, 256, 257, 600}) {
      for (const std::int64_t rows : {1, 5, 16}) {
        for (const std::int64_t columns :
             {std::int64_t{1}, 2 * vector + 1, 4 * vector, 9 * vector + 1}) {
          for (const bool with_gaps : {false, true}) {
            expect_formula(precision, depth, rows, columns, with_gaps);
            ASSERT_FALSE(HasFailure()) << to_string(precision) << ", depth " << depth << ", rows "
                                       << rows << ", columns " << columns << ", gaps " << with_gaps;
          }
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, GradientTileTest, kernels::all_isas(), kernels::isa_name);

TEST(SumOfSquaresTest, AddsEveryElement) {
  testing::Random random(2);
  for (std::size_t size = 0; size <= 100; ++size) {
    const auto values = random.values(size);
    double expected = 0;
    for (const float value : values) expected += double{value} * value;
    EXPECT_NEAR(sum_of_squares(values.data(), 1, static_cast<std::int64_t>(size), 0), expected,
                1e-6 * expected)
        << size;
  }
}

}  // namespace
}  // namespace quadgate
