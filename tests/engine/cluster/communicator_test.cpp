// Sweeps 1 to 64 ranks in threads, with and without a slow network: records come to all, whole and
// in order. No tolerance.

#include "engine/cluster/communicator.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/base/error.h"
#include "engine/cluster/gradient_exchange.h"
#include "tests/support/in_process_ranks.h"

namespace quadgate::cluster {
namespace {

using ::testing::IsEmpty;
using Record = std::vector<std::byte>;

Record record_of(int rank) {
  Record record(static_cast<std::size_t>(rank * rank), static_cast<std::byte>(rank));
  return record;
}

void expect_all_come(Communicator& communicator) {
  const int rank = communicator.rank();
  std::vector<std::int64_t> all(static_cast<std::size_t>(communicator.world_size()));
  std::vector<std::int64_t> expected(all.size());
  std::iota(expected.begin(), expected.end(), 100);
  const std::int64_t mine = 100 + rank;
  communicator.all_gather(std::as_bytes(std::span(&mine, 1)),
                          std::as_writable_bytes(std::span(all)));
  EXPECT_EQ(all, expected);
  const std::vector<Record> of_all = communicator.all_gather_any(record_of(rank));
  const std::vector<Record> of_first = communicator.gather_any(record_of(rank));
  ASSERT_EQ(of_all.size(), all.size());
  ASSERT_EQ(of_first.size(), rank == 0 ? all.size() : 0);
  for (std::size_t other = 0; other < of_all.size(); ++other) {
    EXPECT_EQ(of_all[other], record_of(static_cast<int>(other)));
    if (rank == 0) {
      EXPECT_EQ(of_first[other], of_all[other]);
    }
  }
}

class CommunicatorTest : public ::testing::TestWithParam<int> {};

TEST_P(CommunicatorTest, RecordsComeToAllInOrder) {
  testing::InProcessRanks run(GetParam());
  run.run(expect_all_come);
  EXPECT_THAT(run.lines(), IsEmpty());
  EXPECT_THAT(run.failed(), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Ranks, CommunicatorTest, ::testing::Values(1, 2, 3, 4, 7, 16, 64));

TEST(CommunicatorLimitsTest, WithoutANetworkItIsOneRank) {
  Communicator none;
  Communicator null([] { return nullptr; });
  for (Communicator* communicator : {&none, &null}) {
    EXPECT_EQ(communicator->rank(), 0);
    EXPECT_EQ(communicator->world_size(), 1);
    expect_all_come(*communicator);
    communicator->fail("nobody listens");
  }
}

/// One exchange of ones over as many shards as ranks.
void expect_sum_of_ones(Communicator& communicator) {
  constexpr std::size_t kFloats = 20'000;
  const std::vector<float> ones(kFloats, 1.0F);
  GradientExchange exchange(communicator, kFloats, communicator.world_size());
  exchange.add(ones);
  const std::span<const float> sum = exchange.reduce_scatter();
  std::vector<float> all(kFloats);
  for (const FlatRange& range : exchange.owned()) {
    std::ranges::copy(sum.subspan(range.begin, range.size), all.data() + range.begin);
  }
  exchange.all_gather(all);
  EXPECT_EQ(all, std::vector<float>(kFloats, static_cast<float>(communicator.world_size())));
}

TEST(CommunicatorViewTest, TheFirstRanksWorkWhileTheOthersWait) {
  constexpr int kRanks = 5;
  testing::InProcessRanks run(kRanks);
  run.run([](Communicator& all) {
    for (int first = 1; first <= kRanks; ++first) {
      if (all.rank() < first) {
        Communicator view(all, first);
        EXPECT_EQ(view.rank(), all.rank());
        EXPECT_EQ(view.world_size(), first);
        for (int i = 0; i < 3; ++i) expect_all_come(view);
        expect_sum_of_ones(view);
      }
      expect_all_come(all);
    }
    if (all.rank() == kRanks - 1) return;
    // The last rank may be through already: it is in no call of the others.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Communicator view(all, kRanks - 1);
    expect_all_come(view);
  });
  EXPECT_THAT(run.lines(), IsEmpty());
  EXPECT_THAT(run.failed(), IsEmpty());
}

TEST(CommunicatorViewTest, AnErrorInItEndsThoseWhoWaitToo) {
  testing::InProcessRanks run(3);
  run.run([](Communicator& all) {
    std::byte mine{};
    Record everyone(3);
    if (all.rank() < 2) {
      Communicator view(all, 2);
      if (all.rank() == 1) view.fail("its disk is full");
      view.all_gather({&mine, 1}, std::span(everyone).first(2));
    }
    all.all_gather({&mine, 1}, everyone);
  });
  EXPECT_THAT(run.lines(), ::testing::ElementsAre("rank 1 (n1): its disk is full"));
  EXPECT_EQ(run.failed().size(), 3);
}

TEST(CommunicatorViewTest, IsOfRanksThatThereAre) {
  testing::InProcessRanks run(2);
  run.run([](Communicator& all) {
    EXPECT_THROW(Communicator(all, 3), InvalidArgument);
    EXPECT_THROW(Communicator(all, 0), InvalidArgument);
    if (all.rank() == 1) {
      EXPECT_THROW(Communicator(all, 1), InvalidArgument);
    }
  });
  EXPECT_THAT(run.lines(), IsEmpty());
}

TEST(CommunicatorLimitsTest, TellsHowLongCallsWaited) {
  testing::InProcessRanks run(2);
  run.run([](Communicator& all) {
    std::byte mine{};
    Record everyone(2);
    all.all_gather({&mine, 1}, everyone);
    const double before = all.waited_seconds();
    if (all.rank() == 1) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    all.all_gather({&mine, 1}, everyone);
    if (all.rank() == 0) {
      EXPECT_GT(all.waited_seconds() - before, 0.04);
    }
  });
  EXPECT_EQ(Communicator().waited_seconds(), 0);
}

TEST(CommunicatorLimitsTest, ASlowNetworkChangesNothing) {
  testing::InProcessRanks run(3, {}, std::chrono::milliseconds(5));
  run.run(expect_all_come);
  EXPECT_THAT(run.failed(), IsEmpty());
}

TEST(CommunicatorLimitsTest, CountsTheMessagesOfRecords) {
  for (const int ranks : {2, 3, 4, 5, 8, 9}) {
    testing::InProcessRanks run(ranks);
    run.run([&](Communicator& communicator) {
      const Traffic before = communicator.traffic();
      const std::vector<std::byte> mine(10);
      std::vector<std::byte> all(static_cast<std::size_t>(10 * ranks));
      communicator.all_gather(mine, all);
      const Traffic after = communicator.traffic();
      EXPECT_EQ(after.small_messages - before.small_messages, std::ceil(std::log2(ranks)));
      EXPECT_EQ(after.small_bytes - before.small_bytes, 10 * (ranks - 1));
      EXPECT_EQ(after.messages, 0);
    });
  }
}

TEST(CommunicatorLimitsTest, ANetworkThatCannotBeginIsAnErrorOfTheConstructor) {
  const auto make = []() -> std::unique_ptr<Transport> { throw Error("no such network"); };
  EXPECT_THROW(Communicator{make}, Error);
}

}  // namespace
}  // namespace quadgate::cluster
