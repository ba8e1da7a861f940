// Sweeps: rows in any order out of chunks that divide them and that do not, and a read that fails.
// Tolerance: none, rows are copied.

#include "io/hdf5/chunk_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <list>
#include <stdexcept>
#include <utility>
#include <vector>

namespace quadgate::hdf5 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::int64_t kRows = 10;
constexpr std::int64_t kRowBytes = 2;

/// Rows whose bytes are their number, out of chunks of 3, and what was read for them.
class ChunkCacheTest : public ::testing::Test {
 protected:
  void read(std::int64_t first, std::int64_t count, std::span<std::byte> out) {
    reads_.emplace_back(first, count);
    ASSERT_EQ(std::ssize(out), count * kRowBytes);
    if (fails_) throw std::runtime_error("damaged");
    for (std::int64_t i = 0; i < count * kRowBytes; ++i) {
      out[static_cast<std::size_t>(i)] = static_cast<std::byte>(first + i / kRowBytes);
    }
  }

  /// The reads of the file that it took.
  std::vector<std::pair<std::int64_t, std::int64_t>> copy(std::int64_t first, std::int64_t count) {
    std::vector<std::byte> out(static_cast<std::size_t>(count * kRowBytes));
    reads_.clear();
    kept_.copy(first, count, out,
               [this](std::int64_t row, std::int64_t rows, std::span<std::byte> values) {
                 read(row, rows, values);
               });
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(out[i], static_cast<std::byte>(first + static_cast<std::int64_t>(i) / kRowBytes));
    }
    return reads_;
  }

  bool fails_ = false;

 private:
  ChunkCache kept_{kRows, kRowBytes, 3};
  std::vector<std::pair<std::int64_t, std::int64_t>> reads_;
};

TEST_F(ChunkCacheTest, ReadsEachChunkOnce) {
  EXPECT_THAT(copy(4, 1), ElementsAre(Pair(3, 3)));
  EXPECT_THAT(copy(3, 3), IsEmpty());
  EXPECT_THAT(copy(2, 8), ElementsAre(Pair(0, 3), Pair(6, 4)));  // the last chunk is of one row
  EXPECT_THAT(copy(0, kRows), IsEmpty());
  EXPECT_THAT(copy(9, 1), IsEmpty());
}

TEST_F(ChunkCacheTest, ReadsTheLastChunk) { EXPECT_THAT(copy(9, 1), ElementsAre(Pair(9, 1))); }

TEST_F(ChunkCacheTest, KeepsNothingOfAReadThatFails) {
  fails_ = true;
  EXPECT_THROW(copy(0, 4), std::runtime_error);
  fails_ = false;
  EXPECT_THAT(copy(0, 4), ElementsAre(Pair(0, 6)));
}

TEST(ChunkCache, TakesThreeOfTheLargestInAll) {
  constexpr std::int64_t kMost = std::int64_t{256} << 20;
  EXPECT_FALSE(ChunkCache::has_room(kMost + 1));
  std::list<ChunkCache> kept;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(ChunkCache::has_room(kMost));
    kept.emplace_back(kMost, 1, kMost);
  }
  EXPECT_FALSE(ChunkCache::has_room(1));
  kept.pop_back();
  EXPECT_TRUE(ChunkCache::has_room(kMost));
}

}  // namespace
}  // namespace quadgate::hdf5
