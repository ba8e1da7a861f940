// Sweeps 1 to 8 cores, and kinds with no index, fewer than cores and many. No tolerance: counts.

#include "engine/native/workers.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <iterator>
#include <utility>
#include <vector>

namespace quadgate::native {
namespace {

using Counts = std::array<std::int64_t, 2>;

/// By default so much work that every core of the arena takes part.
Workers workers_of(Arena& arena, std::int64_t multiply_adds = 1'000'000'000) {
  return {{.input_size = 1, .hidden_size = 1}, multiply_adds, 0, kernels::detected_isa(), arena};
}

TEST(WorkersTest, EqualSharesHaveEachIndexOfEachKindOnce) {
  for (const int cores : {1, 2, 3, 8}) {
    Arena arena(cores);
    Workers workers = workers_of(arena);
    for (const Counts& counts : {Counts{0, 0}, {1, 0}, {0, 1}, {2, 7}, {30, 1}, {24, 101}}) {
      std::array<std::vector<std::atomic<int>>, 2> calls{
          std::vector<std::atomic<int>>(static_cast<std::size_t>(counts[0])),
          std::vector<std::atomic<int>>(static_cast<std::size_t>(counts[1]))};
      workers.in_equal_shares(counts, [&](std::size_t kind, std::int64_t index, PhaseTimes&) {
        ++calls[kind].at(static_cast<std::size_t>(index));
      });
      for (std::size_t kind = 0; kind < calls.size(); ++kind) {
        for (std::size_t index = 0; index < calls[kind].size(); ++index) {
          EXPECT_EQ(calls[kind][index], 1)
              << cores << " cores, kind " << kind << ", index " << index;
        }
      }
    }
  }
}

TEST(WorkersTest, AShareHasOneKindAfterTheOther) {
  Arena arena(1);
  Workers workers = workers_of(arena);
  std::vector<std::pair<std::size_t, std::int64_t>> order;
  workers.in_equal_shares(Counts{2, 3}, [&](std::size_t kind, std::int64_t index, PhaseTimes&) {
    order.emplace_back(kind, index);
  });
  EXPECT_EQ(order, (std::vector<std::pair<std::size_t, std::int64_t>>{
                       {0, 0}, {0, 1}, {1, 0}, {1, 1}, {1, 2}}));
}

TEST(WorkersTest, ThePlanOfEqualSharesHasWhatEachCoreBeginsWith) {
  for (const int cores : {1, 3, 8}) {
    Arena arena(cores);
    Workers workers = workers_of(arena);
    const Counts counts{24, 101};
    const StepPlan::Tasks plan =
        workers.plan_equal_shares(counts, [](std::size_t kind, std::int64_t index) {
          return StepPlan::Task{static_cast<double>(index), static_cast<Phase>(kind)};
        });
    Counts next{};  // of each kind, one share after the other
    std::int64_t number = 0;
    for (int core = 0; core < cores; ++core) {
      for (const std::size_t kind : {0U, 1U}) {
        for (; next[kind] < counts[kind] * (core + 1) / cores; ++next[kind], ++number) {
          const StepPlan::Task& task = plan.tasks.at(static_cast<std::size_t>(number));
          EXPECT_EQ(task.phase, static_cast<Phase>(kind));
          EXPECT_EQ(task.cost, static_cast<double>(next[kind]));
        }
      }
      EXPECT_EQ(plan.ends.at(static_cast<std::size_t>(core)), number);
    }
    EXPECT_EQ(std::ssize(plan.tasks), number);
  }
}

TEST(WorkersTest, SmallWorkIsOneShare) {
  Arena arena(4);
  Workers workers = workers_of(arena, 1);  // so little that one core goes through all shares
  std::vector<std::int64_t> order;
  workers.in_equal_shares(Counts{4, 4}, [&](std::size_t kind, std::int64_t index, PhaseTimes&) {
    order.push_back(static_cast<std::int64_t>(kind) * 10 + index);
  });
  EXPECT_EQ(order, (std::vector<std::int64_t>{0, 1, 2, 3, 10, 11, 12, 13}));
}

}  // namespace
}  // namespace quadgate::native
