// Sweeps unsorted, equal and single-step lengths, plans that are used again, and 1 to 9 parts of
// 1 to 20 rows. No tolerance: whole numbers.

#include "engine/native/packed_steps.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <numeric>

#include "tests/support/batches.h"

namespace quadgate::native {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

Batch batch_of(const std::vector<std::int64_t>& lengths) {
  Batch batch;
  batch.offsets.resize(lengths.size() + 1);
  std::partial_sum(lengths.begin(), lengths.end(), batch.offsets.begin() + 1);
  return batch;
}

/// get(i) for first <= i < last.
template <typename Get>
std::vector<std::int64_t> list(std::int64_t first, std::int64_t last, Get get) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = first; i < last; ++i) values.push_back(get(i));
  return values;
}

std::vector<std::int64_t> rows_at(const PackedSteps& steps) {
  return list(-1, steps.seq_len() + 1, [&](auto t) { return steps.rows_at(t); });
}

TEST(PackedStepsTest, SortsByLengthAndKeepsTheOrderOfEqualOnes) {
  PackedSteps steps(7, 6);
  steps.assign(batch_of({3, 5, 1, 5, 2}).offsets);
  EXPECT_EQ(steps.rows(), 5);
  EXPECT_EQ(steps.seq_len(), 5);
  EXPECT_EQ(steps.size(), 16);
  EXPECT_THAT(list(0, 5, [&](auto place) { return steps.row_in_batch(place); }),
              ElementsAre(1, 3, 0, 4, 2));
  EXPECT_THAT(list(0, 5, [&](auto place) { return steps.length(place); }),
              ElementsAre(5, 5, 3, 2, 1));
  EXPECT_THAT(rows_at(steps), ElementsAre(0, 5, 4, 3, 2, 2, 0));
  EXPECT_THAT(list(0, 5, [&](auto t) { return steps.row(0, t); }), ElementsAre(0, 5, 9, 12, 14));
}

TEST(PackedStepsTest, SlicesLieOneAfterTheOther) {
  PackedSteps steps(7, 6, {.slice_rows = 2});
  steps.assign(batch_of({3, 5, 1, 5, 2}).offsets);
  EXPECT_EQ(steps.slices(), 3);
  EXPECT_EQ(steps.size(), 16);
  EXPECT_THAT(steps.offsets(0), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(steps.offsets(1), ElementsAre(10, 12, 14, 15, 15, 15));
  EXPECT_THAT(steps.offsets(2), ElementsAre(15, 16, 16, 16, 16, 16));
  EXPECT_THAT(list(0, 5, [&](auto place) { return steps.row(place, 0); }),
              ElementsAre(0, 1, 10, 11, 15));
  EXPECT_THAT(list(0, 5, [&](auto t) { return steps.rows_at(1, t); }), ElementsAre(2, 2, 1, 0, 0));
  for (const std::int64_t slice_rows : {0, 1, 2, 4}) {
    PackedSteps other(7, 6, {.slice_rows = slice_rows});
    other.assign(batch_of({3, 5, 1, 5, 2}).offsets);
    std::int64_t rows = 0;
    for (std::int64_t place = 0; place < other.rows(); ++place) {
      for (std::int64_t t = 0; t < other.length(place); ++t, ++rows) {
        const auto position = other.position_of(other.row(place, t));
        EXPECT_EQ(position.place, place);
        EXPECT_EQ(position.t, t);
      }
    }
    EXPECT_EQ(rows, other.size());
  }
}

TEST(PackedStepsTest, LinksEachPackedRowToTheStepsAroundIt) {
  PackedSteps steps(5, 5);
  steps.assign(batch_of({3, 5, 1, 5, 2}).offsets);
  EXPECT_THAT(steps.before(),
              ElementsAreArray({-1, -1, -1, -1, -1, 0, 1, 2, 3, 5, 6, 7, 9, 10, 12, 13}));
  EXPECT_THAT(steps.after(),
              ElementsAreArray({5, 6, 7, 8, -1, 9, 10, 11, -1, 12, 13, -1, 14, 15, -1, -1}));
}

TEST(PackedStepsTest, LinksTheEndsToTheStatesBeforeTheFirstStep) {
  PackedSteps steps(5, 5, {.has_states = true});
  steps.assign(batch_of({3, 5, 1, 5, 2}).offsets);
  EXPECT_THAT(steps.before(),
              ElementsAreArray({0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 17, 18}));
  EXPECT_THAT(steps.after(),
              ElementsAreArray({10, 11, 12, 13, 4, 14, 15, 16, 3, 17, 18, 2, 19, 20, 0, 1}));
}

TEST(PackedStepsTest, EqualLengthsStayInOrder) {
  PackedSteps steps(4, 3);
  steps.assign(batch_of({4, 4, 4}).offsets);
  EXPECT_THAT(list(0, 3, [&](auto place) { return steps.row_in_batch(place); }),
              ElementsAre(0, 1, 2));
  EXPECT_THAT(rows_at(steps), ElementsAre(0, 3, 3, 3, 3, 0));
}

TEST(PackedStepsTest, SingleStepsHaveNoNeighbours) {
  PackedSteps steps(4, 3);
  steps.assign(batch_of({1, 1}).offsets);
  EXPECT_THAT(rows_at(steps), ElementsAre(0, 2, 0));
  EXPECT_THAT(steps.before(), ElementsAre(-1, -1));
  EXPECT_THAT(steps.after(), ElementsAre(-1, -1));
}

TEST(PackedStepsTest, NothingOfABatchStaysInTheNext) {
  PackedSteps used(6, 8);
  PackedSteps fresh(6, 8);
  const auto batch = batch_of({2, 3, 1});
  used.assign(batch_of({6, 6, 6, 5, 4, 6, 1, 6}).offsets);
  used.assign(batch.offsets);
  fresh.assign(batch.offsets);
  EXPECT_EQ(used.rows(), 3);
  EXPECT_EQ(used.size(), 6);
  EXPECT_EQ(rows_at(used), rows_at(fresh));
  EXPECT_THAT(used.before(), ElementsAreArray(fresh.before()));
  EXPECT_THAT(used.after(), ElementsAreArray(fresh.after()));
}

TEST(PackedStepsTest, CutsCoverAllRowsWithAboutEquallyManySteps) {
  testing::Random random(1);
  for (std::int64_t rows = 1; rows <= 20; ++rows) {
    const auto lengths = testing::random_lengths(rows, 30, random);
    PackedSteps steps(30, rows);
    steps.assign(batch_of(lengths).offsets);
    for (std::int64_t parts = 1; parts <= 9; ++parts) {
      EXPECT_EQ(steps.cut(0, parts), 0);
      EXPECT_EQ(steps.cut(parts, parts), rows);
      for (std::int64_t part = 0; part < parts; ++part) {
        const std::int64_t first = steps.cut(part, parts);
        const std::int64_t last = steps.cut(part + 1, parts);
        ASSERT_LE(first, last) << rows << " rows, " << parts << " parts";
        std::int64_t size = 0;
        for (std::int64_t place = first; place < last; ++place) size += steps.length(place);
        // Each end is at most half of a sequence, and half a step, from where it is wanted.
        EXPECT_LE(std::abs(size - steps.size() / parts), steps.seq_len() + 1)
            << rows << " rows, part " << part << " of " << parts;
      }
    }
  }
}

}  // namespace
}  // namespace quadgate::native
