// Sweeps m, n, k over 1 to 67, both operands plain and transposed, tight and strided, beta 0 and 1.
// Tolerance: 2 epsilon times k times the largest product, which bounds the sum in any order.

#include "engine/onednn/matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/threads/arena.h"
#include "tests/support/numbers.h"

namespace quadgate::onednn {
namespace {

/// A random matrix of `rows` x `columns` with `gap` floats of NaN after every stored row.
struct Stored {
  Stored(std::int64_t rows, std::int64_t columns, bool is_transposed, std::int64_t gap,
         testing::Random& random)
      : transposed(is_transposed), stride((is_transposed ? rows : columns) + gap) {
    const std::int64_t lines = transposed ? columns : rows;
    values = random.values(static_cast<std::size_t>(lines * stride));
    for (std::int64_t line = 0; line < lines; ++line) {
      std::fill_n(&values[static_cast<std::size_t>((line + 1) * stride - gap)], gap, NAN);
    }
  }

  double at(std::int64_t row, std::int64_t column) const {
    return values[static_cast<std::size_t>(transposed ? column * stride + row
                                                      : row * stride + column)];
  }
  Matrix matrix() const { return {values.data(), stride, transposed}; }

  bool transposed;
  std::int64_t stride;
  std::vector<float> values;
};

void expect_product(std::int64_t m, std::int64_t n, std::int64_t k, bool transpose_a,
                    bool transpose_b, std::int64_t gap, float beta) {
  testing::Random random(1);
  const Stored a(m, k, transpose_a, gap, random);
  const Stored b(k, n, transpose_b, gap, random);
  const auto before = random.values(static_cast<std::size_t>(m * n));
  auto c = before;
  if (beta == 0) c.assign(c.size(), NAN);
  Arena arena(1);
  arena.for_each(1, [&](std::int64_t) { matmul(m, n, k, a.matrix(), b.matrix(), beta, c.data()); });
  const double tolerance = 2.0 * std::numeric_limits<float>::epsilon() * static_cast<double>(k + 1);
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t column = 0; column < n; ++column) {
      const auto i = static_cast<std::size_t>(row * n + column);
      double expected = beta == 0 ? 0.0 : before[i];
      for (std::int64_t j = 0; j < k; ++j) expected += a.at(row, j) * b.at(j, column);
      ASSERT_NEAR(c[i], expected, tolerance) << row << ", " << column;
    }
  }
}

TEST(MatmulTest, IsTheProduct) {
  for (const std::int64_t m : {1, 2, 7, 16, 67}) {
    for (const std::int64_t n : {1, 3, 16, 33}) {
      for (const std::int64_t k : {1, 5, 32, 65}) {
        for (int layout = 0; layout < 8; ++layout) {
          SCOPED_TRACE(::testing::Message() << m << " " << n << " " << k << " layout " << layout);
          expect_product(m, n, k, (layout & 1) != 0, (layout & 2) != 0, (layout & 4) != 0 ? 3 : 0,
                         k % 2 == 0 ? 1.0F : 0.0F);
          ASSERT_FALSE(HasFatalFailure());
        }
      }
    }
  }
}

}  // namespace
}  // namespace quadgate::onednn
