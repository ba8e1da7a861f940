// Sweeps 1 to 4 threads and 0 to 1000 indices: each index once, never more cores than asked for,
// one core inside, exceptions come out. No tolerance: everything is counted.

#include "engine/arena.h"

#include <gmock/gmock.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

#include "engine/error.h"

namespace quadgate {
namespace {

class ArenaTest : public ::testing::TestWithParam<int> {};

TEST_P(ArenaTest, CallsEachIndexOnce) {
  Arena arena(GetParam());
  EXPECT_EQ(arena.threads(), GetParam());
  for (const std::int64_t count : {0, 1, 2, 3, 7, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
    arena.for_each(count, [&](std::int64_t index) { ++calls[static_cast<std::size_t>(index)]; });
    EXPECT_TRUE(std::ranges::all_of(calls, [](int times) { return times == 1; })) << count;
  }
}

TEST_P(ArenaTest, NeverRunsMoreThanItsThreadsAtATime) {
  Arena arena(GetParam());
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  arena.for_each(200, [&](std::int64_t) {
    const int now = ++running;
    int seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    --running;
  });
  EXPECT_LE(most, GetParam());
}

TEST_P(ArenaTest, ShowsOneCoreToTheBody) {
  Arena arena(GetParam());
  std::atomic<int> most = 0;
  arena.for_each(50, [&](std::int64_t) {
    if (tbb::this_task_arena::max_concurrency() > 1) ++most;
  });
  EXPECT_EQ(most, 0);
}

TEST_P(ArenaTest, RethrowsAndGoesOn) {
  Arena arena(GetParam());
  const auto fail = [&] {
    arena.for_each(20, [](std::int64_t index) {
      if (index == 13) throw DataError("thirteen");
    });
  };
  EXPECT_THROW(fail(), DataError);
  std::atomic<int> calls = 0;
  arena.for_each(20, [&](std::int64_t) { ++calls; });
  EXPECT_EQ(calls, 20);
}

INSTANTIATE_TEST_SUITE_P(Threads, ArenaTest, ::testing::Values(1, 2, 3, 4));

TEST(ArenaLimitsTest, ServesSeveralCallersAtATime) {
  Arena arena(2);
  std::atomic<int> calls = 0;
  const auto call = [&] { arena.for_each(100, [&](std::int64_t) { ++calls; }); };
  std::thread other(call);
  call();
  other.join();
  EXPECT_EQ(calls, 200);
}

TEST(ArenaLimitsTest, RefusesImpossibleNumbersOfThreads) {
  for (const int threads : {-1, 0, 1025}) {
    try {
      Arena arena(threads);
      ADD_FAILURE() << threads;
    } catch (const InvalidArgument& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr("threads: expected 1 to 1024, found " +
                                                     std::to_string(threads)));
    }
  }
}

}  // namespace
}  // namespace quadgate
