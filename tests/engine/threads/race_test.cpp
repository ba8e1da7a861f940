// Proves that the thread sanitizer sees what the calls of an arena do: races are found, and what
// the arena orders is none.

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "engine/threads/arena.h"

namespace quadgate {
namespace {

constexpr int kSanitizerFoundOne = 66;

/// Two calls, on two threads that are there at the same time, write the same variables. There are
/// many, since the sanitizer may miss a race whose two writes come at the very same moment.
void race() {
  Arena arena(2);
  std::vector<std::int64_t> sums(10'000);
  std::atomic<int> there = 0;
  arena.for_each(2, [&](std::int64_t index) {
    there.fetch_add(1, std::memory_order_relaxed);
    while (there.load(std::memory_order_relaxed) < 2) std::this_thread::yield();
    for (auto& sum : sums) sum += index;
  });
  // NOLINTNEXTLINE(concurrency-mt-unsafe): in a process of its own
  std::exit(static_cast<int>(sums.front()) - 1);
}

TEST(RaceDeathTest, ARaceOfTwoCallsIsFound) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(race(), ::testing::ExitedWithCode(kSanitizerFoundOne), "data race");
}

TEST(RaceTest, CallsComeAfterWhatWasBeforeAndBeforeWhatIsAfterThem) {
  Arena arena(4);
  std::vector<std::int64_t> numbers(64);
  for (std::int64_t round = 0; round < 200; ++round) {
    for (auto& number : numbers) number += 1;
    arena.for_each(64, [&](std::int64_t index) { numbers[static_cast<std::size_t>(index)] += 1; });
    for (const auto number : numbers) EXPECT_EQ(number, 2 * round + 2);
  }
}

}  // namespace
}  // namespace quadgate
