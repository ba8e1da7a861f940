// Sweeps: batch sizes that divide the rows and that do not, order of the file and every shuffle,
// starts in mid-epoch, failing reads, and loaders that are dropped early. Tolerance: none, rows are
// counted.

#include "io/data/loader.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "tests/io/data/counting_split.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using testing::CountingSplit;
using ::testing::ElementsAre;
using testing::even_chunks;
using testing::message_of;
using testing::mixed_lengths;

std::vector<std::vector<std::int64_t>> batches_of(Loader& loader) {
  std::vector<std::vector<std::int64_t>> batches;
  Batch batch;
  while (loader.next(batch)) batches.push_back(batch.labels);
  return batches;
}

TEST(Loader, GivesTheRowsInTheirOrder) {
  CountingSplit split(7);
  Loader loader(split, 3);
  EXPECT_EQ(loader.num_batches(), 3);
  EXPECT_THAT(batches_of(loader),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4, 5), ElementsAre(6)));
  Batch batch;
  batch.labels = {42};
  EXPECT_FALSE(loader.next(batch)) << "again and again";
  EXPECT_THAT(batch.labels, ElementsAre(42)) << "untouched";
}

TEST(Loader, ShufflesByItsKeyAlone) {
  CountingSplit split(1000);
  const auto order = [&](std::uint64_t seed, std::uint32_t epoch) {
    Loader loader(split, 1000, Shuffle{.seed = seed, .epoch = epoch});
    return batches_of(loader).front();
  };
  const auto first = order(1, 0);
  EXPECT_EQ(order(1, 0), first);
  EXPECT_NE(order(1, 1), first);
  EXPECT_NE(order(2, 0), first);
  auto sorted = first;
  std::ranges::sort(sorted);
  EXPECT_NE(sorted, first);
  for (std::int64_t row = 0; row < 1000; ++row)
    EXPECT_EQ(sorted[static_cast<std::size_t>(row)], row);
}

TEST(Loader, GoesOnInTheMiddleOfAnEpoch) {
  CountingSplit split(mixed_lengths(203), even_chunks(203, 10));
  for (const std::int64_t buffer : {0, 3, 40}) {
    for (const bool by_length : {false, true}) {
      const Shuffle key{.seed = 3, .epoch = 2, .buffer = buffer, .by_length = by_length};
      Loader whole(split, 8, key);
      auto expected = batches_of(whole);
      for (std::int64_t first = 0; first <= whole.num_batches(); ++first) {
        Loader rest(split, 8, key, first);
        EXPECT_EQ(rest.num_batches(), 26);
        EXPECT_EQ(batches_of(rest), expected) << first << " of buffer " << buffer;
        if (!expected.empty()) expected.erase(expected.begin());
      }
    }
  }
}

TEST(Loader, SharesOfABatchAreItsRows) {
  for (const std::int64_t buffer : {0, 60}) {
    for (const std::int64_t first_batch : {0, 3}) {
      CountingSplit split(mixed_lengths(203), even_chunks(203, 20));
      const Shuffle shuffle{.seed = 3, .buffer = buffer};
      Loader whole(split, 20, shuffle, first_batch);
      const auto expected = batches_of(whole);
      std::vector<std::vector<std::int64_t>> found(expected.size());
      // The last batch has 3 rows, fewer than there are parts.
      for (const RowShare share : {RowShare{0, 3, 8}, RowShare{3, 4, 8}, RowShare{4, 8, 8}}) {
        CountingSplit its_split(mixed_lengths(203), even_chunks(203, 20));
        Loader loader(its_split, 20, shuffle, first_batch, share);
        std::size_t number = 0;
        for (Batch batch; loader.next(batch); ++number) {
          EXPECT_EQ(batch.whole_rows, expected[number].size());
          found[number].insert(found[number].end(), batch.labels.begin(), batch.labels.end());
        }
        EXPECT_EQ(number, expected.size());
      }
      EXPECT_EQ(found, expected);
    }
  }
}

TEST(Loader, SwapsBatchesInsteadOfCopying) {
  CountingSplit split(200);
  for (const std::int64_t buffer : {0, 50}) {
    Loader loader(split, 10, Shuffle{.buffer = buffer});
    Batch batch;
    std::vector<const float*> seen;
    while (loader.next(batch)) seen.push_back(batch.x.data());
    constexpr std::size_t kBatches = Loader::kAhead + 1;
    for (std::size_t i = kBatches; i < seen.size(); ++i) EXPECT_EQ(seen[i], seen[i - kBatches]);
  }
}

/// A read takes 20 ms.
class SlowSplit final : public Split {
 public:
  std::int64_t size() const noexcept override { return 3; }
  std::int64_t length(std::int64_t) const noexcept override { return 1; }
  std::int64_t max_len() const noexcept override { return 1; }
  std::string where(std::int64_t) const override { return {}; }
  void read(std::span<const std::int64_t>, Batch& batch) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    batch.offsets = {0, 1};
  }
};

TEST(Loader, CountsTheTimeThatItsCallerWaits) {
  SlowSplit split;
  Loader loader(split, 1);
  EXPECT_EQ(loader.waited_seconds(), 0);
  Batch batch;
  while (loader.next(batch)) {
  }
  const double waited = loader.waited_seconds();
  EXPECT_GT(waited, 0.04) << "of three reads of 20 ms";
  loader.next(batch);
  EXPECT_EQ(loader.waited_seconds(), waited) << "what is known is not waited for";
}

TEST(Loader, RethrowsWhatTheReadThrew) {
  CountingSplit split(10, 5);
  Loader loader(split, 2);
  Batch batch;
  EXPECT_TRUE(loader.next(batch));
  EXPECT_TRUE(loader.next(batch));
  for (int again = 0; again < 2; ++again) {
    EXPECT_EQ(message_of<DataError>([&] { loader.next(batch); }), "row is bad");
  }
}

TEST(Loader, StopsAtAnyTime) {
  CountingSplit split(1000);
  for (int taken = 0; taken < 200; ++taken) {
    Loader loader(split, 10, Shuffle{});
    Batch batch;
    for (int i = 0; i < taken % 4; ++i) EXPECT_TRUE(loader.next(batch));
    if (taken % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(taken));
  }
}

TEST(Loader, NamesWrongArguments) {
  CountingSplit split(10);
  EXPECT_EQ(message_of<InvalidArgument>([&] { Loader(split, 0); }),
            "batch_size: expected at least 1, found 0");
  EXPECT_EQ(message_of<InvalidArgument>([&] { Loader(split, 4, {}, 4); }),
            "first_batch: expected 0 to 3, found 4");
}

}  // namespace
}  // namespace quadgate
