// Sweeps up to 5 shares, some empty, and the orders in which cores may take from them. No
// tolerance: whole numbers.

#include "engine/threads/shares.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "engine/threads/arena.h"

namespace quadgate {
namespace {

using Taken = std::vector<std::int64_t>;

Taken all_of(Shares::Core core) {
  Taken taken;
  while (const auto index = core.next()) taken.push_back(*index);
  return taken;
}

TEST(SharesTest, ACoreTakesItsOwnAndThenThoseBehindItRoundAndRound) {
  Shares shares(4);
  const std::array<std::int64_t, 3> ends{2, 2, 5};
  shares.open(ends);
  EXPECT_EQ(all_of({shares, 2}), (Taken{2, 3, 4, 0, 1}));
  EXPECT_EQ(all_of({shares, 0}), Taken{});
  shares.open(ends);
  EXPECT_EQ(all_of({shares, 1}), (Taken{2, 3, 4, 0, 1}));
}

TEST(SharesTest, TwoCoresTakeEachIndexOnce) {
  Shares shares(2);
  const std::array<std::int64_t, 2> ends{3, 4};
  shares.open(ends);
  Shares::Core first(shares, 0);
  Shares::Core second(shares, 1);
  EXPECT_EQ(first.next(), 0);
  EXPECT_EQ(second.next(), 3);
  EXPECT_EQ(second.next(), 1);
  EXPECT_EQ(second.next(), 2);
  EXPECT_EQ(first.next(), std::nullopt);
  EXPECT_EQ(second.next(), std::nullopt);
}

TEST(SharesTest, ThreadsTakeEachIndexOnce) {
  constexpr std::array<std::int64_t, 5> kEnds{0, 5000, 5001, 5001, 9000};
  Arena arena(5);
  Shares shares(kEnds.size());
  std::vector<std::atomic<int>> taken(static_cast<std::size_t>(kEnds.back()));
  shares.open(kEnds);
  arena.for_each(5, [&](std::int64_t number) {
    for (const std::int64_t index : all_of({shares, number})) {
      ++taken[static_cast<std::size_t>(index)];
    }
  });
  for (const auto& times : taken) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace quadgate
