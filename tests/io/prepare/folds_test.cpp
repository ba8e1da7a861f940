// Sweeps the examples of scikit-learn's documentation and numbers of rows that folds do not divide.
// Truth: what TimeSeriesSplit, KFold and StratifiedKFold of scikit-learn 1.9 gave;
// tests/torch/backtest_test.py compares more of them. Tolerance: none.

#include "io/prepare/folds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace quadgate {
namespace {

using ::testing::ElementsAre;

TEST(FoldsTest, SeriesAreDividedAsTimeSeriesSplitDoes) {
  EXPECT_THAT(walk_forward(6, {.folds = 3, .test_size = 1}),
              ElementsAre(SeriesFold{0, 3, 3, 4}, SeriesFold{0, 4, 4, 5}, SeriesFold{0, 5, 5, 6}));
  EXPECT_THAT(
      walk_forward(12, {.folds = 3, .test_size = 2, .gap = 2}),
      ElementsAre(SeriesFold{0, 4, 6, 8}, SeriesFold{0, 6, 8, 10}, SeriesFold{0, 8, 10, 12}));
  EXPECT_THAT(
      walk_forward(12, {.folds = 3, .test_size = 2, .gap = 1, .max_train_size = 6}),
      ElementsAre(SeriesFold{0, 5, 6, 8}, SeriesFold{1, 7, 8, 10}, SeriesFold{3, 9, 10, 12}));
}

TEST(FoldsTest, RowsAreDividedAsKFoldDoes) {
  EXPECT_THAT(k_folds(7, 3, {}), ElementsAre(0, 0, 0, 1, 1, 2, 2));
}

TEST(FoldsTest, ClassesAreDividedAsStratifiedKFoldDoes) {
  EXPECT_THAT(stratified_folds(std::vector<std::uint32_t>{0, 0, 1, 1}, 2, {}),
              ElementsAre(0, 1, 0, 1));
  EXPECT_THAT(stratified_folds(std::vector<std::uint32_t>{2, 0, 2, 2, 0, 1, 1, 0, 2, 1, 0}, 3, {}),
              ElementsAre(0, 0, 0, 1, 1, 0, 1, 1, 2, 2, 2));
}

TEST(FoldsTest, ASeedDrawsOtherRowsInTheSameShares) {
  const std::vector<std::uint32_t> classes = [] {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < 300; ++i) rows.push_back(i * i % 7 == 2 ? 1 : 0);
    return rows;
  }();
  const auto count = [&](const std::vector<std::uint32_t>& folds) {
    std::vector<int> counts(8);
    for (std::size_t i = 0; i < folds.size(); ++i) ++counts.at(2 * folds[i] + classes[i]);
    return counts;
  };
  const auto in_order = stratified_folds(classes, 4, {});
  const auto drawn = stratified_folds(classes, 4, 1);
  EXPECT_NE(drawn, in_order);
  EXPECT_EQ(count(drawn), count(in_order));
  EXPECT_EQ(drawn, stratified_folds(classes, 4, 1));
  EXPECT_NE(drawn, stratified_folds(classes, 4, 2));
  EXPECT_NE(k_folds(300, 4, 1), k_folds(300, 4, 2));
  EXPECT_EQ(std::ranges::count(k_folds(301, 4, 1), 0U), 76);
}

}  // namespace
}  // namespace quadgate
