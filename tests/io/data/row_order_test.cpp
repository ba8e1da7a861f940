// Sweeps: shuffles of all rows, with buffers from 1 row to more than all, and by length; sizes that
// the batch divides and that it does not. Tolerance: none, rows are counted; the spread of a buffer
// is held against what its definition allows, and the shuffle of all rows against the numbers that
// the program has always given.

#include "io/data/row_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/data/counting_split.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::counting;
using testing::CountingSplit;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::even_chunks;
using testing::message_of;
using testing::mixed_lengths;

using Batches = std::vector<std::vector<std::int64_t>>;

Batches batches_of(const Split& split, std::int64_t batch_size, const Shuffle& shuffle) {
  RowOrder order(split, batch_size, shuffle);
  Batches batches;
  for (std::vector<std::int64_t> rows; order.next(rows);) batches.push_back(rows);
  EXPECT_EQ(order.num_batches(), batches.size());
  return batches;
}

std::vector<std::int64_t> joined(const Batches& batches) {
  std::vector<std::int64_t> rows;
  for (const auto& batch : batches) rows.insert(rows.end(), batch.begin(), batch.end());
  return rows;
}

/// Steps of the batches if each is padded to its longest row.
std::int64_t padded_steps(const Split& split, const Batches& batches) {
  std::int64_t steps = 0;
  for (const auto& batch : batches) {
    std::int64_t longest = 0;
    for (const std::int64_t row : batch) longest = std::max(longest, split.length(row));
    steps += longest * static_cast<std::int64_t>(batch.size());
  }
  return steps;
}

TEST(RowOrder, GivesEveryRowOnceWhateverTheShuffle) {
  for (const std::int64_t size : {1, 63, 64, 1000, 4096}) {
    const CountingSplit split(mixed_lengths(size), even_chunks(size, 7));
    for (const std::int64_t buffer : {0, 1, 5, 100, 5000}) {
      for (const bool by_length : {false, true}) {
        for (const std::int64_t batch_size : {1, 8, 5000}) {
          SCOPED_TRACE(::testing::Message() << size << ", buffer " << buffer << ", by length "
                                            << by_length << ", batch " << batch_size);
          const auto batches = batches_of(split, batch_size, {3, 1, buffer, by_length});
          for (std::size_t i = 0; i + 1 < batches.size(); ++i) {
            ASSERT_EQ(std::ssize(batches[i]), batch_size);
          }
          auto rows = joined(batches);
          std::ranges::sort(rows);
          ASSERT_EQ(rows, counting(size));
        }
      }
    }
  }
}

TEST(RowOrder, DependsOnSeedAndEpochAlone) {
  const CountingSplit split(mixed_lengths(500), even_chunks(500, 20));
  for (const Shuffle key : {Shuffle{3, 1}, Shuffle{3, 1, 50}, Shuffle{3, 1, 50, true}}) {
    const auto order = [&](std::uint64_t seed, std::uint32_t epoch) {
      return batches_of(split, 8, {seed, epoch, key.buffer, key.by_length});
    };
    EXPECT_EQ(order(3, 1), order(3, 1));
    EXPECT_NE(order(3, 1), order(3, 2));
    EXPECT_NE(order(3, 1), order(4, 1));
  }
}

TEST(RowOrder, ShufflesAllRowsAsEver) {
  const CountingSplit split(8);
  EXPECT_THAT(batches_of(split, 8, {1, 0}), ElementsAre(ElementsAre(6, 1, 2, 3, 5, 4, 7, 0)));
  EXPECT_THAT(batches_of(split, 8, {7, 3}), ElementsAre(ElementsAre(4, 6, 1, 5, 0, 7, 2, 3)));
}

TEST(RowOrder, DrawsEachRowOutOfTheBuffer) {
  constexpr std::int64_t kManyRows = 3000;
  constexpr std::int64_t kEvenChunk = 10;
  const CountingSplit split(std::vector<std::int64_t>(kManyRows, 1),
                            even_chunks(kManyRows, kEvenChunk));
  for (const std::int64_t buffer : {1, 40, 500}) {
    const auto rows = joined(batches_of(split, 16, {1, 0, buffer}));
    // The k-th row is out of the buffer's first k + buffer rows: no more chunks have begun by then.
    std::set<std::int64_t> begun;
    std::int64_t position = 0;
    for (const std::int64_t row : rows) {
      begun.insert(row / kEvenChunk);
      EXPECT_LE(std::ssize(begun), (position + buffer + kEvenChunk - 1) / kEvenChunk) << position;
      ++position;
    }
  }
  // A buffer of one row is the chunks one after the other.
  const auto rows = joined(batches_of(split, 16, {1, 0, 1}));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i] % kEvenChunk, static_cast<std::int64_t>(i) % kEvenChunk);
  }
  EXPECT_NE(rows.front(), 0) << "the chunks are shuffled";
}

TEST(RowOrder, ABufferOfAllRowsIsAnEvenShuffle) {
  // Each of 6 rows is first in about a sixth of 6000 epochs: 1000 with a deviation of 29.
  const CountingSplit split(std::vector<std::int64_t>(6, 1), even_chunks(6, 2));
  std::vector<int> first(6);
  std::vector<int> last(6);
  for (std::uint32_t epoch = 0; epoch < 6000; ++epoch) {
    const auto rows = joined(batches_of(split, 6, {1, epoch, 6}));
    ++first[static_cast<std::size_t>(rows.front())];
    ++last[static_cast<std::size_t>(rows.back())];
  }
  EXPECT_THAT(first, Each(::testing::AllOf(::testing::Gt(850), ::testing::Lt(1150))));
  EXPECT_THAT(last, Each(::testing::AllOf(::testing::Gt(850), ::testing::Lt(1150))));
}

TEST(RowOrder, BatchesRowsOfAboutOneLength) {
  const CountingSplit split(mixed_lengths(5000), even_chunks(5000, 100));
  for (const std::int64_t buffer : {0, 500}) {
    const auto batches = batches_of(split, 32, {1, 0, buffer, true});
    const auto plain = batches_of(split, 32, {1, 0, buffer, false});
    std::int64_t steps = 0;
    for (std::int64_t row = 0; row < split.size(); ++row) steps += split.length(row);
    EXPECT_LT(padded_steps(split, batches), steps * 11 / 10);
    EXPECT_GT(padded_steps(split, plain), steps * 16 / 10);
    // The batches are not sorted themselves: short ones and long ones come after each other.
    int shorter = 0;
    for (std::size_t i = 1; i < 64; ++i) {
      shorter += static_cast<int>(split.length(batches[i][0]) < split.length(batches[i - 1][0]));
    }
    EXPECT_GT(shorter, 15);
  }
}

TEST(RowOrder, RowsOfOneLengthAreNotSortedByLength) {
  const CountingSplit split(std::vector<std::int64_t>(500, 9), even_chunks(500, 100));
  const auto plain = batches_of(split, 32, {1, 0, 0, false});
  auto by_length = batches_of(split, 32, {1, 0, 0, true});
  EXPECT_EQ(by_length.back(), plain.back()) << "the smaller batch is the last";
  EXPECT_THAT(by_length, ::testing::UnorderedElementsAreArray(plain));
}

TEST(RowOrder, NamesWrongArguments) {
  const CountingSplit split(10);
  EXPECT_EQ(message_of<InvalidArgument>([&] { RowOrder(split, 0, {}); }),
            "batch_size: expected at least 1, found 0");
  EXPECT_EQ(message_of<InvalidArgument>([&] {
              RowOrder(split, 1, Shuffle{1, 0, -1});
            }),
            "shuffle_buffer: expected at least 0, found -1");
}

}  // namespace
}  // namespace quadgate
