// Sweeps teams of 1 to 5 and 16 to 47 members, shares of 0 to 20 items, teams that are opened again
// and again, members that throw, and 500 rounds of waiting. No tolerance: whole numbers.

#include "engine/threads/team.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "engine/base/error.h"

namespace quadgate {
namespace {

/// Runs work(index) for each index below `count`, each on a thread of its own.
template <typename Work>
void on_threads(std::int64_t count, const Work& work) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (std::int64_t index = 0; index < count; ++index) threads.emplace_back(work, index);
  for (auto& thread : threads) thread.join();
}

TEST(TeamTest, SharesCoverEverythingOnceAndEvenly) {
  Team team;
  for (std::int64_t size = 1; size <= 5; ++size) {
    for (std::int64_t count = 0; count <= 20; ++count) {
      std::int64_t end = 0;
      for (std::int64_t index = 0; index < size; ++index) {
        const auto share = Team::Member(team, index, size).share(count);
        EXPECT_EQ(share.begin, end);
        end = share.end;
        const std::int64_t items = share.end - share.begin;
        EXPECT_TRUE(items == count / size || items == (count + size - 1) / size)
            << items << " of " << count << " for member " << index << " of " << size;
      }
      EXPECT_EQ(end, count);
    }
  }
}

TEST(TeamTest, AMemberAloneHasEverythingAndDoesNotWait) {
  const Team::Member alone;
  alone.wait();
  EXPECT_EQ(alone.share(7).begin, 0);
  EXPECT_EQ(alone.share(7).end, 7);
}

TEST(TeamTest, WhoeverComesTooLateGetsNothing) {
  Team team;
  for (int time = 0; time < 3; ++time) {
    team.open(1);
    std::int64_t items = 0;
    team.run(0, [&](const Team::Member& member) {
      items += member.share(7).end - member.share(7).begin;
      team.run(0, [](const Team::Member& /*late*/) { ADD_FAILURE(); });
    });
    EXPECT_EQ(items, 7);
  }
}

// How many came in time is up to the machine; together they have everything once.
TEST(TeamTest, ThoseWhoJoinedShareEverything) {
  constexpr std::int64_t kItems = 100;
  Team team;
  for (int time = 0; time < 200; ++time) {
    std::vector<int> taken(kItems, 0);
    team.open(3);
    const auto work = [&](std::int64_t index) {
      team.run(index, [&](const Team::Member& member) {
        const auto share = member.share(kItems);
        for (auto i = share.begin; i < share.end; ++i) ++taken[static_cast<std::size_t>(i)];
        member.wait();
        EXPECT_EQ(std::ranges::count(taken, 1), kItems);
      });
    };
    on_threads(3, work);
    EXPECT_EQ(std::ranges::count(taken, 1), kItems);
  }
}

// Each round, every member writes its own number and, having waited, reads those of all: plain
// numbers, so that the thread sanitizer sees whether waiting orders them.
void expect_waiting_shows_all(std::int64_t size, std::int64_t rounds_of_each) {
  Team team(size);
  std::vector<std::int64_t> rounds(static_cast<std::size_t>(size), 0);
  std::vector<std::int64_t> missed(static_cast<std::size_t>(size), 0);
  const auto work = [&](std::int64_t index) {
    const Team::Member member(team, index, size);
    const auto own = static_cast<std::size_t>(index);
    for (std::int64_t round = 1; round <= rounds_of_each; ++round) {
      rounds[own] = round;
      member.wait();
      missed[own] += size - std::ranges::count(rounds, round);
      member.wait();
    }
  };
  on_threads(size, work);
  EXPECT_EQ(missed, std::vector<std::int64_t>(static_cast<std::size_t>(size), 0));
}

TEST(TeamTest, WaitingShowsWhatEveryMemberDidBefore) {
  for (std::int64_t size = 2; size <= 5; ++size) expect_waiting_shows_all(size, 500);
}

// Groups of 16 meet: whole ones, a last one of one member, a last one of 15.
TEST(TeamTest, WaitingOfALargeTeamShowsWhatEveryMemberDidBefore) {
  for (const std::int64_t size : {16, 17, 32, 33, 47}) expect_waiting_shows_all(size, 5);
}

TEST(TeamTest, ALargeTeamMeetsInFewerTurns) {
  EXPECT_EQ(Team::turns(1), 0);
  EXPECT_EQ(Team::turns(2), 1);
  EXPECT_EQ(Team::turns(16), 15);
  EXPECT_EQ(Team::turns(17), 16);
  EXPECT_EQ(Team::turns(64), 15 + 3);
  EXPECT_EQ(Team::turns(128), 15 + 7);
}

TEST(TeamTest, MembersHaveTheirPlacesIfAllHaveCome) {
  constexpr std::int64_t kSize = 4;
  Team team;
  for (int time = 0; time < 100; ++time) {
    team.open(kSize);
    std::atomic<std::int64_t> members = 0;
    std::atomic<std::int64_t> in_place = 0;
    on_threads(kSize, [&](std::int64_t thread) {
      const std::int64_t index = kSize - 1 - thread;  // the first thread comes first, mostly
      team.run(index, [&](const Team::Member& member) {
        ++members;
        if (member.share(kSize).begin == index) ++in_place;
      });
    });
    EXPECT_TRUE(members < kSize || in_place == kSize) << in_place;
  }
}

// The last member that joins throws in its third round, the others wait for it. Whoever waits in
// the team gets its exception; the next time the team works as if nothing had been.
void expect_an_exception_ends_all(std::int64_t size, int times) {
  Team team(size);
  for (int time = 0; time < times; ++time) {
    team.open(size);
    std::atomic<int> members = 0;
    std::atomic<int> ended = 0;
    on_threads(size, [&](std::int64_t index) {
      try {
        team.run(index, [&](const Team::Member& member) {
          const int number = ++members;
          member.wait();
          member.wait();
          if (number == members) throw DataError("the last one");
          member.wait();
          ADD_FAILURE() << "waited for a member that is gone";
        });
      } catch (const DataError& error) {
        EXPECT_STREQ(error.what(), "the last one");
        ++ended;
      }
    });
    EXPECT_EQ(ended, members);
    EXPECT_GE(members, 1);

    team.open(size);
    std::atomic<int> done = 0;
    on_threads(size, [&](std::int64_t index) {
      team.run(index, [&](const Team::Member& member) {
        member.wait();
        ++done;
      });
    });
    EXPECT_GE(done, 1);
  }
}

TEST(TeamTest, AnExceptionOfOneMemberEndsAllOfThem) { expect_an_exception_ends_all(3, 50); }

TEST(TeamTest, AnExceptionOfOneMemberEndsALargeTeam) { expect_an_exception_ends_all(35, 5); }

TEST(TeamTest, TeamsDoNotShareCacheLines) {
  EXPECT_EQ(alignof(Team), 64);
  EXPECT_EQ(sizeof(Team) % 64, 0);
}

}  // namespace
}  // namespace quadgate
