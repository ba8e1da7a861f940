// Sweeps 1 to 64 threads, 1 to 512 sequences and hidden sizes 1 to 2048 of an LSTM in panels of 16.
// No tolerance: whole numbers.

#include "engine/threads/team_plan.h"

#include <gtest/gtest.h>

namespace quadgate {
namespace {

/// For an LSTM on AVX-512.
TeamWork lstm_work(std::int64_t threads, std::int64_t rows, std::int64_t hidden_size) {
  return {.threads = threads,
          .rows = rows,
          .gate_columns = 4 * hidden_size,
          .hidden_size = hidden_size,
          .most_members = (hidden_size + 15) / 16};
}

/// Calls body(work, plan) for every size.
template <typename Body>
void sweep(Body body) {
  for (std::int64_t threads = 1; threads <= 64; ++threads) {
    for (const std::int64_t rows : {1, 2, 3, 5, 7, 8, 16, 20, 31, 64, 100, 512}) {
      for (const std::int64_t hidden_size : {1, 16, 17, 33, 64, 200, 512, 1024, 2048}) {
        const TeamWork work = lstm_work(threads, rows, hidden_size);
        SCOPED_TRACE(::testing::Message() << threads << " threads, " << rows
                                          << " sequences, hidden size " << hidden_size);
        body(work, plan_teams(work));
      }
    }
  }
}

TEST(TeamPlanTest, NeverHasMoreCoresOrMembersOrRangesThanThereAre) {
  sweep([](const TeamWork& work, const TeamPlan& plan) {
    EXPECT_GE(plan.ranges, 1);
    EXPECT_GE(plan.members, 1);
    EXPECT_LE(plan.ranges * plan.members, work.threads);
    EXPECT_LE(plan.members, work.most_members);
    EXPECT_LE(plan.ranges, work.rows);
  });
}

TEST(TeamPlanTest, OneThreadTakesEverythingAlone) {
  sweep([](const TeamWork& work, const TeamPlan& plan) {
    if (work.threads > 1) return;
    EXPECT_EQ(plan.ranges, 1);
    EXPECT_EQ(plan.members, 1);
  });
}

TEST(TeamPlanTest, FewSequencesOfALargeNetworkAreSharedByATeam) {
  for (const std::int64_t threads : {2, 4, 8, 16}) {
    const TeamPlan plan = plan_teams(lstm_work(threads, 1, 1024));
    EXPECT_EQ(plan.ranges, 1);
    EXPECT_EQ(plan.members, threads);
  }
}

TEST(TeamPlanTest, ManySequencesAreCutIntoARangeForEachThread) {
  for (const std::int64_t threads : {2, 4, 8, 16}) {
    for (const std::int64_t hidden_size : {64, 256, 1024}) {
      const TeamPlan plan = plan_teams(lstm_work(threads, 512, hidden_size));
      EXPECT_EQ(plan.ranges, threads) << "hidden size " << hidden_size;
      EXPECT_EQ(plan.members, 1) << "hidden size " << hidden_size;
    }
  }
}

// A team would wait longer for each other than it multiplies.
TEST(TeamPlanTest, ASmallNetworkHasNoTeams) {
  for (const std::int64_t rows : {1, 8, 64}) {
    EXPECT_EQ(plan_teams(lstm_work(8, rows, 32)).members, 1) << rows << " sequences";
  }
}

TEST(TeamPlanTest, ATeamIsNotLargerThanThePanelsToShare) {
  TeamWork work = lstm_work(8, 1, 1024);
  work.most_members = 3;
  EXPECT_EQ(plan_teams(work).ranges, 1);
  EXPECT_EQ(plan_teams(work).members, 3);
}

// Smaller teams have fewer turns at their counters, which a small network does not make up for.
TEST(TeamPlanTest, ALargeTeamIsWorthItsTurns) {
  EXPECT_EQ(plan_teams(lstm_work(128, 64, 64)).members, 2);
  EXPECT_EQ(plan_teams(lstm_work(128, 20, 200)).members, 6);
  EXPECT_EQ(plan_teams(lstm_work(64, 1, 2048)).members, 64);
}

TEST(TeamPlanTest, TeamsOfOneCacheAreAsIfThereWasNoOther) {
  sweep([](const TeamWork& work, const TeamPlan& plan) {
    TeamWork larger = work;
    larger.threads_a_cache = 2 * work.threads;
    EXPECT_EQ(plan_teams(larger).ranges, plan.ranges);
    EXPECT_EQ(plan_teams(larger).members, plan.members);
  });
}

// Of the teams of 7 that four sequences have on 28 cores, some would lie in two caches of 10.
TEST(TeamPlanTest, TeamsKeepToACacheWhereThatPays) {
  TeamWork work = lstm_work(28, 4, 256);
  EXPECT_EQ(plan_teams(work).members, 7);
  work.threads_a_cache = 14;
  EXPECT_EQ(plan_teams(work).members, 7);
  work.threads_a_cache = 10;
  EXPECT_EQ(plan_teams(work).members, 10);
  // A smaller share of the work is worth more than a shorter wait.
  work = lstm_work(28, 4, 2048);
  work.threads_a_cache = 10;
  EXPECT_EQ(plan_teams(work).members, 28);
}

}  // namespace
}  // namespace quadgate
