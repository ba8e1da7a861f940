// Sweeps every number of columns of up to two panels, index lists with repeated rows and gaps, 0 to
// all lanes of a transpose, depths 0 to 40, and rows with and without floats between them, on every
// ISA; the arrays end at a page that may not be touched. No tolerance: values are copied.

#include "kernels/matrix/pack/pack.h"
#include "kernels/base/panels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/matrix/product/product.h"
#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

constexpr float kBefore = 77;  // what the kernels overwrite, or leave

class PackTest : public EachIsa {
 protected:
  std::int64_t lanes() const { return vector_lanes(GetParam(), Arithmetic::floats); }

  GuardedArray random_array(std::int64_t size) {
    return {static_cast<std::size_t>(size), [this] { return random_.uniform(-1, 1); }};
  }

  /// Rows index[0], index[1], ... of a matrix, or all of them where the list is null.
  void expect_gathered(std::int64_t rows, const std::int64_t* index, std::int64_t columns,
                       std::int64_t from_rows, std::int64_t from_stride) {
    const std::int64_t most = kPanelVectors * lanes();
    const std::int64_t width = (columns + lanes() - 1) / lanes() * lanes();  // of all panels
    GuardedArray from = random_array(from_rows * from_stride + columns);
    const float* const row_0 = from.data() + from_stride;  // behind a row that nobody asks for
    GuardedArray to(static_cast<std::size_t>(rows * width), [] { return kBefore; });
    gather_kernel(GetParam())({.rows = rows,
                               .index = index,
                               .from = row_0,
                               .from_stride = from_stride,
                               .columns = columns,
                               .to = to.data()});
    for (std::int64_t k = 0; k < rows; ++k) {
      const std::int64_t row = index == nullptr ? k : index[k];
      for (std::int64_t column = 0; column < width; ++column) {
        const bool copied = row >= 0 && column < columns;
        const std::int64_t first = column / most * most;
        const std::int64_t at = first * rows + k * std::min(most, width - first) + column - first;
        ASSERT_EQ(to.data()[at], copied ? row_0[row * from_stride + column] : 0.0F)
            << "row " << k << " of " << rows << ", column " << column << " of " << columns;
      }
    }
    ASSERT_TRUE(to.before_is_intact());
  }

  void expect_transposed(std::int64_t count, std::int64_t depth, std::int64_t from_stride,
                         std::int64_t to_stride) {
    GuardedArray from = random_array(count == 0 ? 0 : (count - 1) * from_stride + depth);
    GuardedArray to(static_cast<std::size_t>(depth == 0 ? 0 : (depth - 1) * to_stride + lanes()),
                    [] { return kBefore; });
    transpose_kernel(GetParam())({.count = count,
                                  .depth = depth,
                                  .from = from.data(),
                                  .from_stride = from_stride,
                                  .to = to.data(),
                                  .to_stride = to_stride});
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t lane = 0; lane < (k + 1 < depth ? to_stride : lanes()); ++lane) {
        const float expected = lane < count     ? from.data()[lane * from_stride + k]
                               : lane < lanes() ? 0.0F
                                                : kBefore;
        ASSERT_EQ(to.data()[k * to_stride + lane], expected)
            << "column " << k << " of " << depth << ", lane " << lane << " with " << count;
      }
    }
    ASSERT_TRUE(to.before_is_intact());
  }

 private:
  testing::Random random_{1};
};

TEST_P(PackTest, GathersAllRows) {
  for (std::int64_t columns = 1; columns <= 2 * kPanelVectors * lanes(); ++columns) {
    for (const std::int64_t rows : {1, 2, 7}) {
      for (const std::int64_t between : {0, 3}) {
        expect_gathered(rows, nullptr, columns, rows, columns + between);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(PackTest, GathersListedRowsAndZerosBetweenThem) {
  const std::vector<std::vector<std::int64_t>> lists{
      {}, {-1}, {4}, {-1, 2, -1}, {4, 0, 0, 3, -1, 1, 4}};
  for (std::int64_t columns = 1; columns <= 2 * kPanelVectors * lanes(); ++columns) {
    for (const auto& list : lists) {
      expect_gathered(static_cast<std::int64_t>(list.size()), list.data(), columns, 5, columns + 2);
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST_P(PackTest, TransposesEveryCountAndDepth) {
  for (std::int64_t count = 0; count <= lanes(); ++count) {
    for (std::int64_t depth = 0; depth <= 40; ++depth) {
      expect_transposed(count, depth, depth, lanes());
      expect_transposed(count, depth, depth + 3, lanes() + 5);
      ASSERT_FALSE(HasFailure());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, PackTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
