// Sweeps: orders of a shuffle buffer, from the epoch's begin and from its middle, rows of features
// and of tokens, with labels of rows and of steps. Tolerance: none.

#include "io/data/chunk_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/model/batch_rows.h"
#include "io/data/row_order.h"
#include "tests/io/data/counting_split.h"

namespace quadgate {
namespace {

using testing::counting;
using testing::CountingSplit;
using ::testing::ElementsAre;
using testing::even_chunks;
using ::testing::IsEmpty;
using testing::mixed_lengths;
using ::testing::UnorderedElementsAreArray;

constexpr std::int64_t kSize = 1000;
constexpr std::int64_t kChunk = 30;
constexpr Shuffle kShuffle{5, 2, 100};

CountingSplit mixed() { return {mixed_lengths(kSize), even_chunks(kSize, kChunk)}; }

TEST(ChunkReader, ReadsWhatTheSplitReadsButEachChunkOnce) {
  CountingSplit split = mixed();
  CountingSplit direct = mixed();
  ChunkReader reader(split);
  RowOrder order(split, 16, kShuffle);
  Batch batch;
  Batch expected;
  std::size_t most = 0;
  for (std::vector<std::int64_t> rows; order.next(rows);) {
    reader.read(rows, batch);
    direct.read(rows, expected);
    EXPECT_EQ(batch.x, expected.x);
    EXPECT_EQ(batch.labels, expected.labels);
    EXPECT_EQ(batch.offsets, expected.offsets);
    most = std::max(most, reader.waiting());
  }
  EXPECT_EQ(reader.waiting(), 0);
  EXPECT_LE(most, kShuffle.buffer + kChunk);
  EXPECT_GT(most, kShuffle.buffer / 2);
  EXPECT_THAT(split.rows_read(), UnorderedElementsAreArray(counting(kSize)));
  for (std::size_t i = 0; i < split.rows_read().size(); ++i) {
    if (split.rows_read()[i] % kChunk != 0) {
      EXPECT_EQ(split.rows_read()[i], split.rows_read()[i - 1] + 1) << "a chunk is one read";
    }
  }
}

TEST(ChunkReader, InTheMiddleOfAnEpochReadsWhatIsLeft) {
  for (const std::int64_t done : {1, 10, 40, 62}) {
    CountingSplit split = mixed();
    ChunkReader reader(split);
    RowOrder order(split, 16, kShuffle);
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < done && order.next(rows); ++i) reader.skip(rows);
    Batch batch;
    while (order.next(rows)) {
      reader.read(rows, batch);
      EXPECT_EQ(batch.labels, rows);
      EXPECT_LE(reader.waiting(), kShuffle.buffer + kChunk) << "rows that were used do not wait";
    }
    EXPECT_EQ(reader.waiting(), 0);
    // Chunks all of whose rows were used are not read again.
    EXPECT_LE(std::ssize(split.rows_read()), kSize - done * 16 + 600);
  }
}

TEST(BatchRows, TakeAllThatTheyHaveWithThem) {
  const Batch tagging{{}, {7, 8, 9}, {0, 1, 3}, {1, 2, 3}, {}};
  Batch batch;
  clear(batch);
  append_row(tagging, 1, batch);
  append_row(tagging, 0, batch);
  EXPECT_THAT(batch.tokens, ElementsAre(8, 9, 7));
  EXPECT_THAT(batch.labels, ElementsAre(2, 3, 1));
  EXPECT_THAT(batch.offsets, ElementsAre(0, 2, 3));
  EXPECT_THAT(batch.x, IsEmpty());

  const Batch values{{1, 2, 3, 4, 5, 6}, {}, {0, 2, 3}, {}, {10, 20, 30, 40}};
  clear(batch);
  append_row(values, 1, batch);
  append_row(values, 0, batch);
  EXPECT_THAT(batch.x, ElementsAre(5, 6, 1, 2, 3, 4));
  EXPECT_THAT(batch.targets, ElementsAre(30, 40, 10, 20));
  EXPECT_THAT(batch.labels, IsEmpty());
  EXPECT_THAT(batch.tokens, IsEmpty());
}

}  // namespace
}  // namespace quadgate
