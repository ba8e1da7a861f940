// Sweeps 0 to 13 rows, depths around the blocks of 256 and 512, every number of columns of a panel,
// the layouts of the left side, and the three starts, on every ISA; the arrays end at a page that
// may not be touched. Tolerance: half an epsilon of the terms' magnitudes for each term, as each is
// rounded once; between ISAs and cuts of the rows none.

#include "kernels/matrix/product/product.h"
#include "kernels/base/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/kernels/matrix/product/lhs_kinds.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

using testing::Random;
using Start = Output::Start;

/// The operands of one call, with random values, and more floats between the rows of c than it has
/// columns.
class Operands {
 public:
  Operands(Isa isa, const Shape& shape, Layout layout)
      : kernel_(product_kernel(isa)),
        shape_(shape),
        stride_(shape.columns + 3),
        width_(padded(shape.columns, vector_lanes(isa, Arithmetic::floats))),
        left_(left_side(layout, shape)),
        a_(random_array(extent(left_, shape))),
        b_(random_array(shape.depth * width_)),
        bias_(random_array(width_)),
        before_(random_array(shape.rows == 0 ? 0 : (shape.rows - 1) * stride_ + shape.columns)) {
    left_.data = a_.data();
  }

  /// c after the call for all rows, or a call for each.
  GuardedArray run(Start start, bool row_by_row = false) {
    GuardedArray c = before_;
    const float* bias = start == Start::bias ? bias_.data() : nullptr;
    const std::int64_t at_once = row_by_row ? 1 : shape_.rows;
    std::int64_t row = 0;
    do {
      Lhs left = left_;
      left.data += row * left.row_stride;
      kernel_(at_once, shape_.depth, left, b_.data(),
              {c.data() + row * stride_, stride_, shape_.columns, start, bias});
      row += at_once;
    } while (row < shape_.rows);
    return c;
  }

  void expect_formula(Start start) {
    const GuardedArray c = run(start);
    for (std::int64_t row = 0; row < shape_.rows; ++row) {
      for (std::int64_t column = 0; column < shape_.columns; ++column) {
        const auto i = static_cast<std::size_t>(row * stride_ + column);
        double sum = start == Start::add    ? before_[i]
                     : start == Start::bias ? bias_[static_cast<std::size_t>(column)]
                                            : 0.0;
        double terms = std::abs(sum);
        for (std::int64_t k = 0; k < shape_.depth; ++k) {
          const double term = double{left_.data[place(left_, row, k)]} *
                              b_[static_cast<std::size_t>(k * width_ + column)];
          sum += term;
          terms += std::abs(term);
        }
        constexpr double kHalf = 0.5 * std::numeric_limits<float>::epsilon();
        ASSERT_NEAR(c[i], sum, kHalf * static_cast<double>(shape_.depth) * terms)
            << row << ", " << column;
      }
      for (std::int64_t i = shape_.columns; i < stride_ && row + 1 < shape_.rows; ++i) {
        const auto between = static_cast<std::size_t>(row * stride_ + i);
        ASSERT_EQ(c[between], before_[between]) << "between the rows " << row << " and the next";
      }
    }
    ASSERT_TRUE(c.before_is_intact());
  }

 private:
  GuardedArray random_array(std::int64_t size) {
    return {static_cast<std::size_t>(size), [this] { return random_.uniform(-1, 1); }};
  }

  Random random_{1};
  ProductKernel kernel_;
  Shape shape_;
  std::int64_t stride_;
  std::int64_t width_;
  Lhs left_;
  GuardedArray a_, b_, bias_, before_;
};

constexpr std::int64_t kDepths[] = {0, 1, 7, 20, 255, 256, 257, 300, 511, 512, 513};

class ProductTest : public EachIsa {
 protected:
  std::int64_t lanes() const { return vector_lanes(GetParam(), Arithmetic::floats); }
};

TEST_P(ProductTest, FollowsTheFormulaAtEveryNumberOfRowsAndColumns) {
  for (std::int64_t rows = 0; rows <= 13; ++rows) {
    for (std::int64_t columns = 1; columns <= kPanelVectors * lanes(); ++columns) {
      for (const std::int64_t depth : {7, 40}) {
        const Shape shape{rows, depth, columns};
        Operands(GetParam(), shape, Layout::row_major).expect_formula(Start::add);
        ASSERT_FALSE(HasFailure()) << shape;
      }
    }
  }
}

TEST_P(ProductTest, FollowsTheFormulaAtEveryDepthInEveryLayoutFromEveryStart) {
  for (const std::int64_t depth : kDepths) {
    for (const Layout layout : kLayouts) {
      for (const Start start : {Start::zero, Start::bias, Start::add}) {
        for (const std::int64_t columns : {std::int64_t{1}, 2 * lanes() + 1, 4 * lanes()}) {
          const Shape shape{5, depth, columns};
          Operands(GetParam(), shape, layout).expect_formula(start);
          ASSERT_FALSE(HasFailure()) << shape << ", layout " << static_cast<int>(layout)
                                     << ", start " << static_cast<int>(start);
        }
      }
    }
  }
}

TEST_P(ProductTest, GivesTheSameBitsAtEveryCutOfTheRows) {
  for (std::int64_t rows = 1; rows <= 13; ++rows) {
    for (const std::int64_t depth : {7, 300, 513}) {
      for (const Layout layout : kLayouts) {
        for (std::int64_t vectors = 1; vectors <= kPanelVectors; ++vectors) {
          const Shape shape{rows, depth, vectors * lanes()};
          Operands operands(GetParam(), shape, layout);
          EXPECT_TRUE(operands.run(Start::bias).same_bits(operands.run(Start::bias, true)))
              << shape;
        }
      }
    }
  }
}

/// x [13, depth] times w [depth, 70] through as many panels as the kernel has for it.
std::vector<float> whole_product(Isa isa, const std::vector<float>& x, const std::vector<float>& w,
                                 Start start) {
  constexpr std::int64_t kRows = 13;
  constexpr std::int64_t kColumns = 70;
  const auto depth = static_cast<std::int64_t>(w.size()) / kColumns;
  const std::int64_t lanes = vector_lanes(isa, Arithmetic::floats);
  std::vector<float> c(kRows * kColumns, 0.3F);
  const std::vector<float> bias(kColumns + 16, -0.7F);
  for (std::int64_t first = 0; first < kColumns; first += kPanelVectors * lanes) {
    const std::int64_t columns = std::min(kPanelVectors * lanes, kColumns - first);
    const std::int64_t width = padded(columns, lanes);
    std::vector<float> panel(static_cast<std::size_t>(depth * width));
    for (std::int64_t k = 0; k < depth; ++k) {
      std::copy_n(w.begin() + k * kColumns + first, columns, panel.begin() + k * width);
    }
    product_kernel(isa)(kRows, depth, {x.data(), depth, 1, depth, 0}, panel.data(),
                        {c.data() + first, kColumns, columns, start, bias.data()});
  }
  return c;
}

TEST_P(ProductTest, GivesTheScalarBits) {
  Random random(2);
  for (const std::int64_t depth : {1, 7, 300, 512, 513}) {
    const auto x = random.values(static_cast<std::size_t>(13 * depth));
    const auto w = random.values(static_cast<std::size_t>(depth * 70));
    for (const Start start : {Start::zero, Start::bias, Start::add}) {
      const auto expected = whole_product(Isa::scalar, x, w, start);
      const auto actual = whole_product(GetParam(), x, w, start);
      EXPECT_EQ(std::memcmp(actual.data(), expected.data(), actual.size() * sizeof(float)), 0)
          << "depth " << depth << ", start " << static_cast<int>(start);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, ProductTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
