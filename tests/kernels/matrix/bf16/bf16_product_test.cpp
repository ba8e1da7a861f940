// Sweeps 0 to 13 rows and those around the blocks of tiles, every number of columns of a panel,
// depths around a tile and the blocks of 128 and 512, the layouts of the left side, the three
// starts, and pairs of denormal, infinite and other special numbers, of both products on every ISA;
// the arrays end at a page that may not be touched. No tolerance: the bits are those of the
// header's formulas, but for the payload of a NaN. Beside a sum in double the error is at most that
// of as many roundings as there are terms.

#include "kernels/base/panels.h"
#include "kernels/matrix/bf16/bf16.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
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

float upper(float pair) { return std::bit_cast<float>(bits(pair) & 0xFFFF0000U); }
float lower(float pair) { return std::bit_cast<float>(bits(pair) << 16); }

/// `sum` and the products of pairs, one after another.
float sum_of_pairs(std::span<const float> left, std::span<const float> right, float sum) {
  for (std::size_t k = 0; k < left.size(); ++k) {
    sum = multiply_add(upper(left[k]), upper(right[k]), sum);
    sum = multiply_add(lower(left[k]), lower(right[k]), sum);
  }
  return sum;
}

float add(float a, float b) {
  return without_denormals(without_denormals(a) + without_denormals(b));
}

/// Likewise as AMX sums them.
float sum_of_tiles(std::span<const float> left, std::span<const float> right, float sum) {
  constexpr std::size_t kTile = 16;
  for (std::size_t first = 0; first < left.size(); first += kTile) {
    float even = 0;
    float odd = 0;
    for (std::size_t k = first; k < std::min(first + kTile, left.size()); ++k) {
      even = multiply_add(lower(left[k]), lower(right[k]), even);
      odd = multiply_add(upper(left[k]), upper(right[k]), odd);
    }
    sum = add(sum, add(even, odd));
  }
  return sum;
}

/// One of the two products of bf16.h for an ISA.
struct Kind {
  Isa isa;
  bool tiles;

  ProductKernel kernel() const {
    return tiles ? bf16_tile_product_kernel(isa) : bf16_product_kernel(isa);
  }
  float sum(std::span<const float> left, std::span<const float> right, float start) const {
    return tiles ? sum_of_tiles(left, right, start) : sum_of_pairs(left, right, start);
  }
};

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

  void expect_formula(const Kind& kind, Start start) {
    GuardedArray c = product(kind, start);
    for (std::int64_t row = 0; row < shape_.rows; ++row) {
      for (std::int64_t column = 0; column < shape_.columns; ++column) {
        const float expected =
            kind.sum(left_pairs(row), right_pairs(column), start_at(row, column, start));
        ASSERT_EQ(bits(c[index(row, column)]), bits(expected)) << row << ", " << column;
      }
      for (std::int64_t i = shape_.columns; i < stride_ && row + 1 < shape_.rows; ++i) {
        ASSERT_EQ(c[index(row, i)], before_[index(row, i)])
            << "between the rows " << row << " and the next";
      }
    }
    ASSERT_TRUE(c.before_is_intact());
  }

  void expect_near_double(const Kind& kind) {
    const GuardedArray c = product(kind, Start::add);
    for (std::int64_t row = 0; row < shape_.rows; ++row) {
      for (std::int64_t column = 0; column < shape_.columns; ++column) {
        const auto left = left_pairs(row);
        const auto right = right_pairs(column);
        double sum = start_at(row, column, Start::add);
        double magnitude = std::abs(sum);
        for (std::size_t k = 0; k < left.size(); ++k) {
          for (const auto half : {lower, upper}) {
            const double term = static_cast<double>(half(left[k])) * half(right[k]);
            sum += term;
            magnitude += std::abs(term);
          }
        }
        ASSERT_NEAR(c[index(row, column)], sum,
                    static_cast<double>(2 * shape_.depth + 1) * 0x1p-24 * magnitude);
      }
    }
  }

 private:
  GuardedArray product(const Kind& kind, Start start) {
    GuardedArray c = before_;
    kind.kernel()(
        shape_.rows, shape_.depth, left_, b_.data(),
        {c.data(), stride_, shape_.columns, start, start == Start::bias ? bias_.data() : nullptr});
    return c;
  }
  std::size_t index(std::int64_t row, std::int64_t column) const {
    return static_cast<std::size_t>(row * stride_ + column);
  }
  float start_at(std::int64_t row, std::int64_t column, Start start) const {
    return start == Start::add    ? before_[index(row, column)]
           : start == Start::bias ? bias_[static_cast<std::size_t>(column)]
                                  : 0.0F;
  }
  std::vector<float> left_pairs(std::int64_t row) const {
    std::vector<float> pairs;
    for (std::int64_t k = 0; k < shape_.depth; ++k) {
      pairs.push_back(left_.data[place(left_, row, k)]);
    }
    return pairs;
  }
  std::vector<float> right_pairs(std::int64_t column) {
    std::vector<float> pairs;
    for (std::int64_t k = 0; k < shape_.depth; ++k) {
      pairs.push_back(b_.data()[k * width_ + column]);
    }
    return pairs;
  }
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

class Bf16ProductTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override { skip_without(GetParam().isa); }

  static void expect_formula_at(std::initializer_list<std::int64_t> depths, std::int64_t rows) {
    for (const std::int64_t depth : depths) {
      for (const Layout layout : kLayouts) {
        for (const Start start : {Start::zero, Start::bias, Start::add}) {
          for (const std::int64_t columns : {1, 33, 64}) {
            const Shape shape{rows, depth, columns};
            Bf16Operands(shape, layout).expect_formula(GetParam(), start);
            ASSERT_FALSE(HasFailure()) << shape << ", layout " << static_cast<int>(layout)
                                       << ", start " << static_cast<int>(start);
          }
        }
      }
    }
  }
};

TEST_P(Bf16ProductTest, FollowsTheFormulaAtEveryNumberOfRowsAndColumns) {
  for (const std::int64_t rows :
       {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 31, 32, 33, 65}) {
    for (std::int64_t columns = 1; columns <= kPanelVectors * kLanes; ++columns) {
      const Shape shape{rows, 7, columns};
      Bf16Operands(shape, Layout::row_major).expect_formula(GetParam(), Start::add);
      ASSERT_FALSE(HasFailure()) << shape;
    }
  }
}

TEST_P(Bf16ProductTest, FollowsTheFormulaAtEveryDepthAroundATile) {
  expect_formula_at({0, 1, 7, 15, 16, 17, 20}, 37);
  expect_formula_at({128, 129}, 5);
}

TEST_P(Bf16ProductTest, FollowsTheFormulaAtEveryDepthInEveryLayoutFromEveryStart) {
  expect_formula_at({0, 1, 7, 15, 16, 17, 20, 300, 511, 512, 513}, 5);
  expect_formula_at({128, 129}, 37);
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
      GetParam().kernel()(rows, 1, {pairs.data(), 1, 1, 1, 0}, panel.data(),
                          {c.data(), kLanes, kLanes, Start::add, nullptr});
      for (std::size_t i = 0; i < c.size(); ++i) {
        const float left = pairs[i / kLanes];
        const float right = panel[i % kLanes];
        const float expected = GetParam().sum(std::span(&left, 1), std::span(&right, 1), start);
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

TEST_P(Bf16ProductTest, IsNearASumInDouble) {
  for (const Shape& shape : {Shape{37, 300, 45}, Shape{33, 16, 64}, Shape{3, 1000, 7}}) {
    Bf16Operands(shape, Layout::row_major).expect_near_double(GetParam());
    ASSERT_FALSE(HasFailure()) << shape;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Bf16ProductTest,
                         ::testing::Values(Kind{Isa::scalar, false}, Kind{Isa::avx2, false},
                                           Kind{Isa::avx512, false}, Kind{Isa::avx512_bf16, false},
                                           Kind{Isa::amx_bf16, false}, Kind{Isa::scalar, true},
                                           Kind{Isa::amx_bf16, true}),
                         [](const auto& test) {
                           return std::string(to_string(test.param.isa)) +
                                  (test.param.tiles ? "_tiles" : "");
                         });

}  // namespace
}  // namespace quadgate::kernels
