// Sweeps 0 to 40 rows and every tail of the columns, with and without floats between the rows, on
// every ISA; the array ends at a page that may not be touched. Tolerance: half an epsilon for each
// rounding that the header allows; between ISAs none.

#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

class SquaresTest : public EachIsa {
 protected:
  void expect_sum(std::int64_t rows, std::int64_t columns, std::int64_t stride) {
    const std::int64_t size = rows == 0 ? 0 : (rows - 1) * stride + columns;
    GuardedArray values(static_cast<std::size_t>(size), [this] { return random_.uniform(-1, 1); });
    double expected = 0;
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const double value = values.data()[row * stride + column];
        expected += value * value;
      }
    }
    const std::int64_t blocks = (columns + 63) / 64;
    const double roundings = 2 + static_cast<double>(std::min<std::int64_t>(rows, 16) * blocks);
    const double tolerance = roundings / 2 * std::numeric_limits<float>::epsilon();
    const double actual = sum_of_squares_kernel(GetParam())(rows, columns, values.data(), stride);
    ASSERT_NEAR(actual, expected, tolerance * expected)
        << rows << " rows of " << columns << ", " << stride << " apart";
    ASSERT_EQ(actual, sum_of_squares_kernel(Isa::scalar)(rows, columns, values.data(), stride))
        << rows << " rows of " << columns << ", " << stride << " apart";
  }

 private:
  testing::Random random_{5};
};

TEST_P(SquaresTest, AddsEveryElementInOneOrder) {
  for (const std::int64_t rows : {0, 1, 2, 15, 16, 17, 40}) {
    for (std::int64_t columns = 0; columns <= 200; ++columns) {
      expect_sum(rows, columns, columns);
      expect_sum(rows, columns, columns + 3);
    }
  }
  expect_sum(16, 4099, 4099);
}

TEST_P(SquaresTest, AddsAnArrayAsRowsOf64) {
  const auto kernel = sum_of_squares_kernel(GetParam());
  testing::Random random(6);
  for (std::int64_t size = 0; size <= 300; ++size) {
    GuardedArray values(static_cast<std::size_t>(size), [&] { return random.uniform(-1, 1); });
    const std::int64_t whole = size / 64 * 64;
    ASSERT_EQ(sum_of_squares(kernel, values.data(), size),
              kernel(whole / 64, 64, values.data(), 64) +
                  kernel(1, size - whole, values.data() + whole, 64))
        << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, SquaresTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
