// Sweeps every bf16 number with the floats next to it and around its way to the next one; 1 to 64
// columns, 0 to 7 rows, counts, depths 0 to 40, and rows with and without floats between them, on
// every ISA; the arrays end at a page that may not be touched. No tolerance: the bits are those of
// arithmetic that follows the header (support/bf16_reference.h).

#include "kernels/matrix/bf16/bf16.h"
#include "kernels/base/panels.h"
#include "kernels/simd/bf16_pair.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "tests/kernels/each_isa.h"
#include "tests/kernels/guarded_array.h"
#include "tests/support/bf16_reference.h"
#include "tests/support/numbers.h"

namespace quadgate::kernels {
namespace {

using quadgate::testing::bf16_pair;

constexpr float kUnwritten = 77;  // what the kernels overwrite, or leave
constexpr std::int64_t kPairLanes = 16;

std::uint32_t bits_of(float value) { return std::bit_cast<std::uint32_t>(value); }

/// Every bf16 number, and what lies around it and around its way to the next.
std::vector<float> all_kinds_of_floats() {
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper <= 0xFFFF; ++upper) {
    for (const std::uint32_t lower : {0x0000U, 0x0001U, 0x7FFFU, 0x8000U, 0x8001U, 0xFFFFU}) {
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  return values;
}

class Bf16KernelTest : public EachIsa {
 protected:
  GuardedArray random_array(std::int64_t size) {
    static const auto values = all_kinds_of_floats();
    const auto last = static_cast<std::int64_t>(values.size()) - 1;
    return {static_cast<std::size_t>(size),
            [this, last] { return values[static_cast<std::size_t>(random_.integer(0, last))]; }};
  }

  void expect_rounded(std::int64_t rows, std::int64_t columns, GuardedArray& from,
                      std::int64_t from_stride, std::int64_t to_stride) {
    const std::int64_t pairs = (columns + 1) / 2;
    GuardedArray to(static_cast<std::size_t>(rows == 0 ? 0 : (rows - 1) * to_stride + pairs),
                    [] { return kUnwritten; });
    bf16_rows_kernel(GetParam())({.rows = rows,
                                  .columns = columns,
                                  .from = from.data(),
                                  .from_stride = from_stride,
                                  .to = to.data(),
                                  .to_stride = to_stride});
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const values = from.data() + row * from_stride;
      for (std::int64_t i = 0; i < (row + 1 < rows ? to_stride : pairs); ++i) {
        const float high = 2 * i + 1 < columns ? values[2 * i + 1] : 0.0F;
        const float expected = i < pairs ? bf16_pair(values[2 * i], high) : kUnwritten;
        ASSERT_EQ(bits_of(to.data()[row * to_stride + i]), bits_of(expected))
            << "row " << row << ", pair " << i << " of " << columns << " columns";
      }
    }
    ASSERT_TRUE(to.before_is_intact());
    bf16_rows_kernel(GetParam())({.rows = rows,
                                  .columns = columns,
                                  .from = from.data(),
                                  .from_stride = from_stride,
                                  .to = from.data(),
                                  .to_stride = from_stride});
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::int64_t i = 0; i < pairs; ++i) {
        ASSERT_EQ(bits_of(from.data()[row * from_stride + i]),
                  bits_of(to.data()[row * to_stride + i]))
            << "in place: row " << row << ", pair " << i << " of " << columns << " columns";
      }
    }
  }

  /// Rows index[0], index[1], ... of a matrix, or all of them where the list is null.
  void expect_gathered(std::int64_t rows, const std::int64_t* index, std::int64_t columns,
                       std::int64_t from_rows, std::int64_t from_stride) {
    const std::int64_t width = (columns + kPairLanes - 1) / kPairLanes * kPairLanes;
    GuardedArray from = random_array(from_rows * from_stride + columns);
    const float* const row_0 = from.data() + from_stride;  // behind a row that nobody asks for
    GuardedArray to(static_cast<std::size_t>((rows + 1) / 2 * width), [] { return kUnwritten; });
    bf16_gather_kernel(GetParam())({.rows = rows,
                                    .index = index,
                                    .from = row_0,
                                    .from_stride = from_stride,
                                    .columns = columns,
                                    .to = to.data()});
    const auto value = [&](std::int64_t k, std::int64_t column) {
      const std::int64_t row = k >= rows ? -1 : index == nullptr ? k : index[k];
      return row < 0 || column >= columns ? 0.0F : row_0[row * from_stride + column];
    };
    for (std::int64_t k = 0; k < rows; k += 2) {
      for (std::int64_t column = 0; column < width; ++column) {
        ASSERT_EQ(bits_of(to.data()[k / 2 * width + column]),
                  bits_of(bf16_pair(value(k, column), value(k + 1, column))))
            << "row " << k << " of " << rows << ", column " << column << " of " << columns;
      }
    }
    ASSERT_TRUE(to.before_is_intact());
  }

  /// Pairs of the rows index[0], index[1], ... of a matrix, two at a time.
  void expect_interleaved(std::int64_t rows, const std::int64_t* index, std::int64_t columns,
                          std::int64_t from_rows, std::int64_t from_stride) {
    const std::int64_t width = (columns + kPairLanes - 1) / kPairLanes * kPairLanes;
    GuardedArray from = random_array(from_rows * from_stride + width / 2);
    const float* const row_0 = from.data() + from_stride;  // behind a row that nobody asks for
    GuardedArray to(static_cast<std::size_t>((rows + 1) / 2 * width), [] { return kUnwritten; });
    bf16_interleave_kernel(GetParam())({.rows = rows,
                                        .index = index,
                                        .from = row_0,
                                        .from_stride = from_stride,
                                        .columns = columns,
                                        .to = to.data()});
    const auto number = [&](std::int64_t k, std::int64_t column) {
      const std::int64_t row = k >= rows ? -1 : index == nullptr ? k : index[k];
      const std::uint32_t pair = row < 0 ? 0 : bits_of(row_0[row * from_stride + column / 2]);
      return column % 2 == 0 ? pair & 0xFFFFU : pair >> 16;
    };
    for (std::int64_t k = 0; k < rows; k += 2) {
      for (std::int64_t column = 0; column < columns; ++column) {
        ASSERT_EQ(bits_of(to.data()[k / 2 * width + column]),
                  number(k, column) | number(k + 1, column) << 16)
            << "row " << k << " of " << rows << ", column " << column << " of " << columns;
      }
    }
    ASSERT_TRUE(to.before_is_intact());
  }

  void expect_transposed(std::int64_t count, std::int64_t depth, std::int64_t from_stride,
                         std::int64_t to_stride) {
    const std::int64_t pairs = (depth + 1) / 2;
    GuardedArray from = random_array(count == 0 ? 0 : (count - 1) * from_stride + depth);
    GuardedArray to(static_cast<std::size_t>(pairs == 0 ? 0 : (pairs - 1) * to_stride + kPairLanes),
                    [] { return kUnwritten; });
    bf16_transpose_kernel(GetParam())({.count = count,
                                       .depth = depth,
                                       .from = from.data(),
                                       .from_stride = from_stride,
                                       .to = to.data(),
                                       .to_stride = to_stride});
    const auto value = [&](std::int64_t lane, std::int64_t k) {
      return lane < count && k < depth ? from.data()[lane * from_stride + k] : 0.0F;
    };
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      for (std::int64_t lane = 0; lane < (pair + 1 < pairs ? to_stride : kPairLanes); ++lane) {
        const float expected = lane < kPairLanes
                                   ? bf16_pair(value(lane, 2 * pair), value(lane, 2 * pair + 1))
                                   : kUnwritten;
        ASSERT_EQ(bits_of(to.data()[pair * to_stride + lane]), bits_of(expected))
            << "pair " << pair << " of depth " << depth << ", lane " << lane << " with " << count;
      }
    }
    ASSERT_TRUE(to.before_is_intact());
  }

 private:
  testing::Random random_{1};
};

TEST_P(Bf16KernelTest, TheFirstOfTwoNeighboursIsThePairsLow) {
  const float from[] = {1, -2};
  float to = 0;
  bf16_rows_kernel(GetParam())(
      {.rows = 1, .columns = 2, .from = from, .from_stride = 2, .to = &to, .to_stride = 1});
  const auto pair = std::bit_cast<Bf16Pair>(to);
  EXPECT_EQ(pair.low, 0x3F80);
  EXPECT_EQ(pair.high, 0xC000);
}

TEST_P(Bf16KernelTest, RoundsEveryKindOfFloat) {
  const auto values = all_kinds_of_floats();
  std::size_t next = 0;
  GuardedArray from(values.size(), [&] { return values[next++]; });
  expect_rounded(1, static_cast<std::int64_t>(values.size()), from, 0, 0);
}

TEST_P(Bf16KernelTest, RoundsRowsOfEverySize) {
  for (std::int64_t columns = 1; columns <= 70; ++columns) {
    for (const std::int64_t rows : {0, 1, 3}) {
      for (const std::int64_t between : {0, 3}) {
        const std::int64_t stride = columns + between;
        GuardedArray from = random_array(rows == 0 ? 0 : (rows - 1) * stride + columns);
        expect_rounded(rows, columns, from, stride, (columns + 1) / 2 + between);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(Bf16KernelTest, GathersAllRows) {
  for (std::int64_t columns = 1; columns <= kPanelVectors * kPairLanes; ++columns) {
    for (const std::int64_t rows : {1, 2, 6, 7}) {
      for (const std::int64_t between : {0, 3}) {
        expect_gathered(rows, nullptr, columns, rows, columns + between);
        ASSERT_FALSE(HasFailure());
      }
    }
  }
}

TEST_P(Bf16KernelTest, GathersListedRowsAndZerosBetweenThem) {
  const std::vector<std::vector<std::int64_t>> lists{{},          {-1},    {4},
                                                     {-1, 2, -1}, {2, -1}, {4, 0, 0, 3, -1, 1, 4}};
  for (std::int64_t columns = 1; columns <= kPanelVectors * kPairLanes; ++columns) {
    for (const auto& list : lists) {
      expect_gathered(static_cast<std::int64_t>(list.size()), list.data(), columns, 5, columns + 2);
      ASSERT_FALSE(HasFailure());
    }
  }
}

TEST_P(Bf16KernelTest, InterleavesListedRowsAndZerosBetweenThem) {
  const std::vector<std::vector<std::int64_t>> lists{{},          {-1},    {4},
                                                     {-1, 2, -1}, {2, -1}, {4, 0, 0, 3, -1, 1, 4}};
  for (std::int64_t columns = 1; columns <= kPanelVectors * kPairLanes; ++columns) {
    for (const std::int64_t rows : {1, 2, 6, 7}) {
      expect_interleaved(rows, nullptr, columns, rows, (columns + 1) / 2);
    }
    for (const auto& list : lists) {
      const auto rows = static_cast<std::int64_t>(list.size());
      expect_interleaved(rows, list.data(), columns, 5, (columns + 1) / 2 + 3);
    }
    ASSERT_FALSE(HasFailure());
  }
}

TEST_P(Bf16KernelTest, TransposesEveryCountAndDepth) {
  for (std::int64_t count = 0; count <= kPairLanes; ++count) {
    for (std::int64_t depth = 0; depth <= 40; ++depth) {
      expect_transposed(count, depth, depth, kPairLanes);
      expect_transposed(count, depth, depth + 3, kPairLanes + 5);
      ASSERT_FALSE(HasFailure());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Bf16KernelTest, all_isas(), isa_name);

}  // namespace
}  // namespace quadgate::kernels
