// Sweeps 0 to 13 rows, every number of columns of a panel, depths around the block of 512, the
// layouts of the left side, the three starts, and pairs of denormal, infinite and other special
// numbers, on every ISA; the arrays end at a page that may not be touched. No tolerance: the bits
// are those of the header's formula, but for the payload of a NaN.

#include "kernels/base/panels.h"
#include "kernels/matrix/bf16/bf16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/kernels/matrix/product/lhs_kinds.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

using quadgate::testing::bf16_pair;
using Start = Output::Start;

constexpr std::int64_t kLanes = 16;

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

float without_denormals(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0F, value) : value;
}

float multiply_add(float a, float b, float sum) {
  return without_denormals(
      std::fma(without_denormals(a), without_denormals(b), without_denormals(sum)));
}

/// `sum` and the product of two pairs.
float add_pairs(float left, float right, float sum) {
  const auto upper = [](float pair) { return std::bit_cast<float>(bits(pair) & 0xFFFF0000U); };
  const auto lower = [](float pair) { return std::bit_cast<float>(bits(pair) << 16); };
  return multiply_add(lower(left), lower(right), multiply_add(upper(left), upper(right), sum));
}

/// The operands of one call, with random values, and more floats between the rows of c than it has
/// columns.
class Bf16Operands {
 public:
  Bf16Operands(const Shape& shape, Layout layout)
      : shape_(shape),
        stride_(shape.columns + 3),
        width_(padded(shape.columns, kLanes)),
        left_(left_side(layout, shape)),
        a_(random_pairs(extent(left_, shape))),
        b_(random_pairs(shape.depth * width_)),
        bias_(random_floats(width_)),
        before_(random_floats(shape.rows == 0 ? 0 : (shape.rows - 1) * stride_ + shape.columns)) {
    left_.data = a_.data();
  }

  void expect_formula(Isa isa, Start start) {
    GuardedArray c = before_;
    bf16_product_kernel(isa)(
        shape_.rows, shape_.depth, left_, b_.data(),
        {c.data(), stride_, shape_.columns, start, start == Start::bias ? bias_.data() : nullptr});
    for (std::int64_t row = 0; row < shape_.rows; ++row) {
      for (std::int64_t column = 0; column < shape_.columns; ++column) {
        const auto i = static_cast<std::size_t>(row * stride_ + column);
        float sum = start == Start::add    ? before_[i]
                    : start == Start::bias ? bias_[static_cast<std::size_t>(column)]
                                           : 0.0F;
        for (std::int64_t k = 0; k < shape_.depth; ++k) {
          sum = add_pairs(left_.data[place(left_, row, k)], b_.data()[k * width_ + column], sum);
        }
        ASSERT_EQ(bits(c[i]), bits(sum)) << row << ", " << column;
      }
      for (std::int64_t i = shape_.columns; i < stride_ && row + 1 < shape_.rows; ++i) {
        const auto between = static_cast<std::size_t>(row * stride_ + i);
        ASSERT_EQ(c[between], before_[between]) << "between the rows " << row << " and the next";
      }
    }
    ASSERT_TRUE(c.before_is_intact());
  }

 private:
  GuardedArray random_floats(std::int64_t size) {
    return {static_cast<std::size_t>(size), [this] { return random_.uniform(-1, 1); }};
  }
  GuardedArray random_pairs(std::int64_t size) {
    return {static_cast<std::size_t>(size), [this] {
              const float low = random_.uniform(-1, 1);
              return bf16_pair(low, random_.uniform(-1, 1));
            }};
  }

  testing::Random random_{1};
  Shape shape_;
  std::int64_t stride_;
  std::int64_t width_;
  Lhs left_;
  GuardedArray a_, b_, bias_, before_;
};

class Bf16ProductTest : public EachIsa {};

TEST_P(Bf16ProductTest, FollowsTheFormulaAtEveryNumberOfRowsAndColumns) {
  for (std::int64_t rows = 0; rows <= 13; ++rows) {
    for (std::int64_t columns = 1; columns <= kPanelVectors * kLanes; ++columns) {
      const Shape shape{rows, 7, columns};
      Bf16Operands(shape, Layout::row_major).expect_formula(GetParam(), Start::add);
      ASSERT_FALSE(HasFailure()) << shape;
    }
  }
}

TEST_P(Bf16ProductTest, FollowsTheFormulaAtEveryDepthInEveryLayoutFromEveryStart) {
  for (const std::int64_t depth : {0, 1, 7, 20, 300, 511, 512, 513}) {
    for (const Layout layout : kLayouts) {
      for (const Start start : {Start::zero, Start::bias, Start::add}) {
        for (const std::int64_t columns : {1, 33, 64}) {
          const Shape shape{5, depth, columns};
          Bf16Operands(shape, layout).expect_formula(GetParam(), start);
          ASSERT_FALSE(HasFailure()) << shape << ", layout " << static_cast<int>(layout)
                                     << ", start " << static_cast<int>(start);
        }
      }
    }
  }
}

/// Special numbers, and some whose products are denormal or just not.
constexpr float kSpecial[] = {0.0F,
                              -0.0F,
                              1.0F,
                              -1.5F,
                              0x1p-130F,
                              -0x1.8p-127F,
                              0x1p-126F,
                              0x1p-63F,
                              -0x1.8p-64F,
                              0x1p-64F,
                              0x1.FEp127F,
                              std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()};

/// Pairs of each special number with each, as they are: denormal ones are not rounded away.
std::vector<float> special_pairs() {
  std::vector<float> pairs;
  for (const float low : kSpecial) {
    for (const float high : kSpecial)
      pairs.push_back(std::bit_cast<float>(bits(low) >> 16 | bits(high)));
  }
  return pairs;
}

TEST_P(Bf16ProductTest, TakesDenormalNumbersAsZeroAndKeepsInfinitiesAndNans) {
  const auto pairs = special_pairs();
  const auto rows = static_cast<std::int64_t>(pairs.size());
  for (const float start :
       {0.0F, -1.0F, 0x1p-149F, -0x1p-126F, -0x1.8p-126F, std::numeric_limits<float>::max()}) {
    for (std::size_t first = 0; first < pairs.size(); first += kLanes) {
      std::vector<float> panel(kLanes);
      for (std::size_t i = 0; i < panel.size(); ++i) panel[i] = pairs[(first + i) % pairs.size()];
      std::vector<float> c(pairs.size() * kLanes, start);
      bf16_product_kernel(GetParam())(rows, 1, {pairs.data(), 1, 1, 1, 0}, panel.data(),
                                      {c.data(), kLanes, kLanes, Start::add, nullptr});
      for (std::size_t i = 0; i < c.size(); ++i) {
        const float left = pairs[i / kLanes];
        const float right = panel[i % kLanes];
        const float expected = add_pairs(left, right, start);
        if (std::isnan(expected) ? !std::isnan(c[i]) : bits(c[i]) != bits(expected)) {
          FAIL() << std::hexfloat << c[i] << ", not " << expected << ": pairs " << std::hex
                 << bits(left) << ", " << bits(right) << " added to " << start;
        }
      }
    }
  }
}

TEST_P(Bf16ProductTest, LeavesDenormalNumbersToOthers) {
  Bf16Operands({1, 1, 1}, Layout::row_major).expect_formula(GetParam(), Start::zero);
  volatile float least = std::numeric_limits<float>::min();
  EXPECT_GT(least / 2, 0);
}

INSTANTIATE_TEST_SUITE_P(Isa, Bf16ProductTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
