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

}  // namespace
}  // namespace quadgate
