// Sweeps: 200 random numbers of rows, classes and sizes of the splits, with classes of one row, of
// two and of many. No tolerance: shares are counts of rows, off by less than one.

#include "io/prepare/row_splits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace quadgate {
namespace {

/// Of each class, its rows in every split.
std::vector<SplitSizes> count(const RowSplits& splits, const std::vector<std::uint32_t>& classes) {
  std::vector<SplitSizes> counts(std::ranges::max(classes) + 1);
  for (std::size_t row = 0; row < classes.size(); ++row) {
    ++counts[classes[row]].at(splits[static_cast<std::int64_t>(row)]);
  }
  return counts;
}

SplitSizes total(const std::vector<SplitSizes>& counts) {
  SplitSizes sum{};
  for (const SplitSizes& one : counts) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum.at(i) += one.at(i);
  }
  return sum;
}

TEST(RowSplitsTest, EachClassKeepsItsShare) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::uint32_t> classes;
    const auto num_classes = static_cast<std::uint32_t>(1 + random() % 20);
    for (std::uint32_t one = 0; one < num_classes; ++one) {
      const unsigned long most = random() % 3 == 0 ? 4 : 200;
      classes.insert(classes.end(), 2 + random() % most, one);
    }
    std::shuffle(classes.begin(), classes.end(), random);
    const auto rows = std::ssize(classes);
    SplitSizes sizes{};
    sizes[1] = static_cast<std::int64_t>(random()) % (rows / 3 + 1);
    sizes[2] = static_cast<std::int64_t>(random()) % (rows / 3 + 1);
    sizes[0] = rows - sizes[1] - sizes[2];
    const auto counts = count(RowSplits(sizes, random(), classes), classes);
    for (const SplitSizes& one : counts) {
      const std::int64_t of_class = one[0] + one[1] + one[2];
      EXPECT_GE(one[0], 1);
      EXPECT_EQ(one[1] >= 1, sizes[1] > 0);
      if (of_class > 2) {
        EXPECT_EQ(one[2] >= 1, sizes[2] > 0);
      }
      if (of_class < 4) continue;
      for (const std::size_t split : {1U, 2U}) {
        const double share =
            static_cast<double>(of_class * sizes.at(split)) / static_cast<double>(rows);
        EXPECT_LE(std::abs(static_cast<double>(one.at(split)) - share), 1) << of_class;
      }
    }
  }
}

TEST(RowSplitsTest, FractionsOfRowsAddUpFromClassToClass) {
  std::vector<std::uint32_t> classes;
  for (std::uint32_t row = 0; row < 140; ++row) classes.push_back(row % 10);
  EXPECT_EQ(total(count(RowSplits({119, 14, 7}, 1, classes), classes)), (SplitSizes{116, 14, 10}))
      << "7 is less than a row a class";
  EXPECT_EQ(total(count(RowSplits({115, 25, 0}, 1, classes), classes)), (SplitSizes{115, 25, 0}));
}

TEST(RowSplitsTest, ClassesOfASingleRowAreDrawnFromAsOne) {
  std::vector<std::uint32_t> classes;
  for (std::uint32_t row = 0; row < 40; ++row) classes.push_back(row);
  EXPECT_EQ(total(count(RowSplits({30, 10, 0}, 1, classes), classes)), (SplitSizes{30, 10, 0}));
}

TEST(RowSplitsTest, AnotherSeedDrawsOtherRows) {
  const std::vector<std::uint32_t> classes(50, 0);
  const auto drawn = [&](std::uint64_t seed, bool has_classes) {
    const RowSplits splits({40, 10, 0}, seed, has_classes ? classes : std::vector<std::uint32_t>());
    std::vector<std::int64_t> rows;
    for (std::int64_t row = 0; row < 50; ++row) {
      if (splits[row] == 1) rows.push_back(row);
    }
    return rows;
  };
  EXPECT_EQ(drawn(1, true), drawn(1, true));
  EXPECT_EQ(drawn(1, true), drawn(1, false)) << "one class is as none";
  EXPECT_NE(drawn(1, true), drawn(2, true));
  EXPECT_EQ(drawn(2, true).size(), 10);
}

}  // namespace
}  // namespace quadgate
