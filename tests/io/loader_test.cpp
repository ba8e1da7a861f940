// Sweeps: batch sizes that divide the rows and that do not, order of the file and shuffled, starts
// in mid-epoch, failing reads, and loaders that are dropped early.
// Tolerance: none, rows are counted.

#include "io/loader.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

#include "engine/error.h"
#include "tests/io/files.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;
using testing::message_of;

/// Row i is a sequence of one step, x = label = i. Reading row `bad` throws.
class CountingSplit final : public Split {
 public:
  explicit CountingSplit(std::int64_t size, std::int64_t bad = -1) : size_(size), bad_(bad) {}

  std::int64_t size() const noexcept override { return size_; }
  std::int64_t length(std::int64_t) const noexcept override { return 1; }
  std::int64_t max_len() const noexcept override { return 1; }
  void read(std::span<const std::int64_t> rows, Batch& batch) override {
    batch.x.assign(rows.begin(), rows.end());
    batch.labels.assign(rows.begin(), rows.end());
    batch.offsets.resize(rows.size() + 1);
    std::iota(batch.offsets.begin(), batch.offsets.end(), 0);
    if (std::ranges::count(rows, bad_) > 0) throw DataError("row is bad");
  }

 private:
  std::int64_t size_;
  std::int64_t bad_;
};

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
    Loader loader(split, 1000, Loader::Shuffle{.seed = seed, .epoch = epoch});
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
  CountingSplit split(50);
  const Loader::Shuffle key{.seed = 3, .epoch = 2};
  Loader whole(split, 8, key);
  auto expected = batches_of(whole);
  for (std::int64_t first = 0; first <= whole.num_batches(); ++first) {
    Loader rest(split, 8, key, first);
    EXPECT_EQ(rest.num_batches(), 7);
    EXPECT_EQ(batches_of(rest), expected) << first;
    if (!expected.empty()) expected.erase(expected.begin());
  }
}

TEST(Loader, SwapsBatchesInsteadOfCopying) {
  CountingSplit split(100);
  Loader loader(split, 10);
  Batch batch;
  std::vector<const float*> seen;
  while (loader.next(batch)) seen.push_back(batch.x.data());
  for (std::size_t i = 2; i < seen.size(); ++i) EXPECT_EQ(seen[i], seen[i - 2]);
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
    Loader loader(split, 10, Loader::Shuffle{});
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
