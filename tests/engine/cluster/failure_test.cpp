// Ranks in threads, with timeouts of a fifth of a second: a rank that dies, stands still, throws or
// leaves ends the run on all ranks, with one line of one rank; one that computes does not.

#include <gmock/gmock.h>

#include <chrono>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/cluster/communicator.h"
#include "tests/support/in_process_ranks.h"

namespace quadgate::cluster {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr milliseconds kTimeout(400);
Options quick() { return {.timeout = kTimeout, .heartbeat = milliseconds(20), .grace = kTimeout}; }

/// One collective call.
void meet(Communicator& communicator) {
  const std::byte mine{1};
  std::vector<std::byte> all(static_cast<std::size_t>(communicator.world_size()));
  communicator.all_gather({&mine, 1}, all);
}

/// Calls until the run fails.
void meet_for_ever(Communicator& communicator) {
  for (;;) meet(communicator);
}

/// Meets for ever, and does `fault` on one rank after some calls.
auto with_fault(int rank, const std::function<void()>& fault) {
  return [rank, fault](Communicator& communicator) {
    for (int i = 0; i < 5; ++i) meet(communicator);
    if (communicator.rank() == rank) fault();
    meet_for_ever(communicator);
  };
}

TEST(FailureTest, ADeadRankIsNamedByRankZero) {
  testing::InProcessRanks run(4, quick());
  run.ignore_lines_of(2);
  run.run(with_fault(2, [&] { run.network().cut_off(2); }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 2 (n2) has not answered for 0.4 s"));
  EXPECT_THAT(run.reporters(), ElementsAre(0));
  EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2, 3));
}

TEST(FailureTest, ACutOffRankIsSilent) {
  testing::InProcessRanks run(4, quick());
  run.run(with_fault(3, [&] { run.network().cut_off(3); }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 3 (n3) has not answered for 0.4 s"));
  EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2, 3));
}

TEST(FailureTest, RanksThatDieTogetherAreNamedTogether) {
  testing::InProcessRanks run(5, quick());
  run.run(with_fault(3, [&] {
    run.network().cut_off(3);
    run.network().cut_off(4);
  }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 3 (n3), rank 4 (n4) have not answered for 0.4 s"));
}

TEST(FailureTest, TheLowestLiveRankNamesADeadRankZero) {
  testing::InProcessRanks run(5, quick());
  run.ignore_lines_of(0);
  run.run(with_fault(0, [&] { run.network().cut_off(0); }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 0 (n0) has not answered for 0.4 s"));
  EXPECT_THAT(run.reporters(), ElementsAre(1));
  EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2, 3, 4));
}

TEST(FailureTest, TheLowestLiveRankNamesAllThatDiedWithRankZero) {
  testing::InProcessRanks run(5, quick());
  run.ignore_lines_of(0);
  run.run(with_fault(0, [&] {
    run.network().cut_off(0);
    run.network().cut_off(1);
  }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 0 (n0), rank 1 (n1) have not answered for 0.4 s"));
  EXPECT_THAT(run.reporters(), ElementsAre(2));
}

TEST(FailureTest, OneOfTwoRanksNamesTheOther) {
  for (const int dead : {0, 1}) {
    testing::InProcessRanks run(2, quick());
    run.ignore_lines_of(dead);
    run.run(with_fault(dead, [&] { run.network().cut_off(dead); }));
    const std::string name = std::to_string(dead);
    EXPECT_THAT(run.lines(),
                ElementsAre("rank " + name + " (n" + name + ") has not answered for 0.4 s"));
    EXPECT_THAT(run.failed(), ElementsAre(0, 1));
  }
}

TEST(FailureTest, ARankThatStandsStillIsNamedAndSaysNothingWhenItGoesOn) {
  for (const int stopped : {0, 2}) {
    testing::InProcessRanks run(3, quick());
    std::jthread later;
    run.run(with_fault(stopped, [&] {
      run.network().stop(stopped);
      later = std::jthread([&] {
        std::this_thread::sleep_for(4 * kTimeout);
        run.network().go_on(stopped);
      });
    }));
    const std::string name = std::to_string(stopped);
    EXPECT_THAT(run.lines(),
                ElementsAre("rank " + name + " (n" + name + ") has not answered for 0.4 s"));
    EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2));
  }
}

TEST(FailureTest, ARankThatComputesIsNotDead) {
  testing::InProcessRanks run(3, quick());
  run.run([](Communicator& communicator) {
    for (int slow = 0; slow < 3; ++slow) {
      if (communicator.rank() == slow) std::this_thread::sleep_for(2 * kTimeout);
      meet(communicator);
    }
  });
  EXPECT_THAT(run.lines(), IsEmpty());
  EXPECT_THAT(run.failed(), IsEmpty());
}

TEST(FailureTest, ARankWhoseHeartbeatsWaitBehindItsDataIsNotDead) {
  testing::InProcessRanks run(2, quick());
  run.run([&](Communicator& communicator) {
    run.network().mute(1, true);
    for (int i = 0; i < 60; ++i) {
      meet(communicator);
      std::this_thread::sleep_for(kTimeout / 20);
    }
    run.network().mute(1, false);
    meet(communicator);
  });
  EXPECT_THAT(run.lines(), IsEmpty());
}

TEST(FailureTest, RanksThatAllStandStillAreNotDead) {
  testing::InProcessRanks run(3, quick());
  std::jthread later;
  run.run([&](Communicator& communicator) {
    meet(communicator);
    if (communicator.rank() == 0) {
      for (const int rank : {0, 1, 2}) run.network().stop(rank);
      later = std::jthread([&] {
        std::this_thread::sleep_for(3 * kTimeout);
        for (const int rank : {0, 1, 2}) run.network().go_on(rank);
      });
    }
    meet(communicator);
  });
  EXPECT_THAT(run.lines(), IsEmpty());
}

TEST(FailureTest, WhatARankSaysOfItselfIsTheLine) {
  for (const int rank : {0, 2}) {
    testing::InProcessRanks run(3, quick());
    run.run([&](Communicator& communicator) {
      if (communicator.rank() == rank) communicator.fail("no space left on device");
      meet_for_ever(communicator);
    });
    const std::string name = std::to_string(rank);
    EXPECT_THAT(run.lines(),
                ElementsAre("rank " + name + " (n" + name + "): no space left on device"));
    EXPECT_THAT(run.reporters(), ElementsAre(0));
    EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2));
  }
}

TEST(FailureTest, FailuresOfAllRanksAreOneLine) {
  testing::InProcessRanks run(4, quick());
  run.run([](Communicator& communicator) {
    meet(communicator);
    communicator.fail("diverged");
    meet(communicator);
  });
  EXPECT_EQ(run.lines().size(), 1);
  EXPECT_THAT(run.reporters(), ElementsAre(0));
  EXPECT_THAT(run.failed(), ElementsAre(0, 1, 2, 3));
}

TEST(FailureTest, ARankThatFailsWhileRankZeroStandsStillReportsItself) {
  testing::InProcessRanks run(
      3, {.timeout = 3 * kTimeout, .heartbeat = milliseconds(20), .grace = kTimeout});
  std::jthread later;
  run.run(with_fault(2, [&] { run.network().break_once(2); }));
  EXPECT_THAT(run.lines(), ElementsAre("rank 2 (n2): the network broke"));
  EXPECT_THAT(run.reporters(), ElementsAre(0));

  testing::InProcessRanks still(
      3, {.timeout = 3 * kTimeout, .heartbeat = milliseconds(20), .grace = kTimeout});
  still.run([&](Communicator& communicator) {
    meet(communicator);
    if (communicator.rank() == 2) {
      still.network().stop(0);
      later = std::jthread([&] {
        std::this_thread::sleep_for(8 * kTimeout);
        still.network().go_on(0);
      });
      communicator.fail("no space left on device");
    }
    meet_for_ever(communicator);
  });
  EXPECT_THAT(still.lines(), ElementsAre("rank 2 (n2): no space left on device"));
  EXPECT_THAT(still.failed(), ElementsAre(0, 1, 2));
}

TEST(FailureTest, AnExceptionOfARankEndsAll) {
  testing::InProcessRanks run(3, quick());
  run.run([](Communicator& communicator) {
    const auto body = [&] {
      if (communicator.rank() == 1) throw Failure("of the test");
      meet_for_ever(communicator);
    };
    body();
  });
  EXPECT_THAT(run.lines(), ElementsAre("rank 1 (n1): it ended with an error"));
}

TEST(FailureTest, ARankThatLeavesBeforeTheOthersIsNamed) {
  for (const int leaver : {0, 2}) {
    testing::InProcessRanks run(3, quick());
    run.run([&](Communicator& communicator) {
      meet(communicator);
      if (communicator.rank() != leaver) meet(communicator);
    });
    ASSERT_EQ(run.lines().size(), 1);
    EXPECT_THAT(run.lines()[0],
                ::testing::HasSubstr("rank " + std::to_string(leaver) + " (n" +
                                     std::to_string(leaver) + ") has left the run before"));
  }
}

TEST(FailureTest, RanksLeaveAtTheirOwnPace) {
  testing::InProcessRanks run(4, quick());
  run.run([](Communicator& communicator) {
    meet(communicator);
    std::this_thread::sleep_for(communicator.rank() * kTimeout);
  });
  EXPECT_THAT(run.lines(), IsEmpty());
  EXPECT_EQ(run.network().aborts(), 0);
}

TEST(FailureTest, AProcessThatDoesNotEndIsEnded) {
  testing::InProcessRanks run(2, quick());
  run.run([](Communicator& communicator) {
    try {
      meet(communicator);
      if (communicator.rank() == 0) communicator.fail("diverged");
      meet_for_ever(communicator);
    } catch (const Failure&) {
      if (communicator.rank() == 1) std::this_thread::sleep_for(3 * kTimeout);
      throw;
    }
  });
  EXPECT_THAT(run.ended(), ElementsAre(1));
  EXPECT_EQ(run.network().aborts(), 2);
}

}  // namespace
}  // namespace quadgate::cluster
