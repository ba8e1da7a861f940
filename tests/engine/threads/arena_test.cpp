// Sweeps 1 to 4 threads and 0 to 1000 indices: each index once, never more cores than asked for,
// one core inside, exceptions come out; threads that are pinned. No tolerance: everything is
// counted.

#include "engine/threads/arena.h"

#include <gmock/gmock.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <tuple>
#include <vector>

#include "engine/base/error.h"
#include "engine/threads/affinity.h"
#include "engine/threads/topology.h"

namespace quadgate {
namespace {

/// A pool of another library, which begins and ends with the call.
void run_on_threads(int threads, void (*body)(void*), void* context) {
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(body, context);
  body(context);
}

/// A number of threads, and whether they are of another library.
class ArenaTest : public ::testing::TestWithParam<std::tuple<int, bool>> {
 protected:
  static int threads() { return std::get<0>(GetParam()); }
  static Arena make() {
    return std::get<1>(GetParam()) ? Arena(threads(), run_on_threads) : Arena(threads());
  }
};

TEST_P(ArenaTest, CallsEachIndexOnce) {
  Arena arena = make();
  EXPECT_EQ(arena.threads(), threads());
  for (const std::int64_t count : {0, 1, 2, 3, 7, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<std::size_t>(count));
    arena.for_each(count, [&](std::int64_t index) { ++calls[static_cast<std::size_t>(index)]; });
    EXPECT_TRUE(std::ranges::all_of(calls, [](int times) { return times == 1; })) << count;
  }
}

TEST_P(ArenaTest, NeverRunsMoreThanItsThreadsAtATime) {
  Arena arena = make();
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
  EXPECT_LE(most, threads());
}

TEST_P(ArenaTest, ShowsOneCoreToTheBody) {
  Arena arena = make();
  std::atomic<int> most = 0;
  arena.for_each(50, [&](std::int64_t) {
    if (tbb::this_task_arena::max_concurrency() > 1) ++most;
  });
  EXPECT_EQ(most, 0);
}

TEST_P(ArenaTest, RethrowsAndGoesOn) {
  Arena arena = make();
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

INSTANTIATE_TEST_SUITE_P(Threads, ArenaTest,
                         ::testing::Combine(::testing::Values(1, 2, 3, 4), ::testing::Bool()));

TEST(ArenaPoolTest, RunsSideBySideOnTheThreadsOfThePool) {
  Arena arena(3, run_on_threads);
  std::atomic<int> running = 0;
  arena.for_each(3, [&](std::int64_t) {
    ++running;
    while (running < 3) std::this_thread::yield();
  });
  EXPECT_EQ(running, 3);
}

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

/// Calls body(index) `threads` times side by side.
template <typename Body>
void side_by_side(Arena& arena, int threads, Body body) {
  std::atomic<int> running = 0;
  arena.for_each(threads, [&](std::int64_t index) {
    ++running;
    while (running < threads) std::this_thread::yield();
    body(index);
  });
}

TEST(ArenaPinningTest, KeepsEachThreadOnACpuOfItsOwnUntilTheArenaEnds) {
  const std::vector<int> cpus = Topology::of(allowed_cpus()).numbers();
  if (cpus.size() < 2) {
    GTEST_SKIP() << "one CPU only: there is nothing to pin";
  }
  std::mutex mutex;
  std::map<std::int32_t, std::vector<int>> cpus_of_thread;
  {
    Arena arena(2, Pinning::cores);
    // Both threads are needed, and each is seen while it works.
    side_by_side(arena, 2, [&](std::int64_t) {
      const std::scoped_lock lock(mutex);
      cpus_of_thread[current_thread_id()] = allowed_cpus();
    });
  }
  ASSERT_EQ(cpus_of_thread.size(), 2);
  EXPECT_EQ(cpus_of_thread[current_thread_id()], std::vector<int>{cpus[0]});
  cpus_of_thread.erase(current_thread_id());
  EXPECT_EQ(cpus_of_thread.begin()->second, std::vector<int>{cpus[1]});
  EXPECT_THAT(allowed_cpus(), ::testing::UnorderedElementsAreArray(cpus));

  Arena unpinned(2);
  std::atomic<int> restricted = 0;
  unpinned.for_each(200, [&](std::int64_t) {
    std::this_thread::sleep_for(std::chrono::microseconds(50));
    if (allowed_cpus().size() != cpus.size()) ++restricted;
  });
  EXPECT_EQ(restricted, 0);
}

/// The CPUs that each index of a call may run on.
std::map<std::int64_t, std::vector<int>> cpus_of_indices(Arena& arena, int threads) {
  std::mutex mutex;
  std::map<std::int64_t, std::vector<int>> cpus;
  side_by_side(arena, threads, [&](std::int64_t index) {
    const std::scoped_lock lock(mutex);
    cpus[index] = allowed_cpus();
  });
  return cpus;
}

TEST(ArenaPinningTest, EachCoreTakesTheSameOfFewIndicesInEveryCall) {
  const std::vector<int> all = allowed_cpus();
  if (all.size() < 2) GTEST_SKIP() << "one CPU only: all cores are that";
  // As if the machine had these two: slots 0, 1, 2, ... are on a, b, a, ...
  const Topology two({{.number = all[0], .core = all[0]}, {.number = all[1], .core = all[1]}});
  constexpr int kThreads = 6;
  Arena arena(kThreads, Pinning::cores, two);
  for (int call = 0; call < 50; ++call) {
    for (const auto& [index, cpus] : cpus_of_indices(arena, kThreads)) {
      EXPECT_EQ(cpus, std::vector{all[static_cast<std::size_t>(index % 2)]}) << index;
    }
  }
}

TEST(ArenaPinningTest, KeepsEachThreadToTheCpusOfACache) {
  const std::vector<int> all = allowed_cpus();
  if (all.size() < 2) GTEST_SKIP() << "one CPU only: there is nothing to pin";
  const Topology apart({{.number = all[0], .core = all[0], .cache = 0},
                        {.number = all[1], .core = all[1], .cache = 1}});
  {
    Arena arena(2, Pinning::caches, apart);
    EXPECT_EQ(arena.threads_a_cache(), 1);
    EXPECT_EQ(cpus_of_indices(arena, 2),
              (std::map<std::int64_t, std::vector<int>>{{0, {all[0]}}, {1, {all[1]}}}));
  }
  const Topology together({{.number = all[0], .core = all[0]}, {.number = all[1], .core = all[1]}});
  Arena arena(2, Pinning::caches, together);
  EXPECT_EQ(arena.threads_a_cache(), 2);
  for (const auto& [index, cpus] : cpus_of_indices(arena, 2)) {
    EXPECT_EQ(cpus.size(), all.size()) << "without a part to keep to, nothing is pinned";
  }
}

TEST(ArenaPinningTest, UnpinnedThreadsShareWhatTheyMeet) {
  EXPECT_EQ(Arena(3).threads_a_cache(), 3);
  EXPECT_EQ(Arena(3, run_on_threads).threads_a_cache(), 3);
}

}  // namespace
}  // namespace quadgate
