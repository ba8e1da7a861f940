// Starts a program as 2 and 3 ranks with each MPI that the build found. No tolerance: messages are
// bytes.

#include "engine/mpi/mpi_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "engine/cluster/communicator.h"
#include "tests/engine/mpi/exchange_steps.h"
#include "tests/support/paths.h"
#include "tests/support/ranks.h"

namespace quadgate {
namespace {

using quadgate::testing::MpiUnderTest;
using quadgate::testing::Ranks;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(300);

/// Expects `line` on stderr, and no other one of ours.
void expect_line(const Ranks& ranks, const std::string& line) {
  const std::string err = ranks.err();
  EXPECT_THAT(err, HasSubstr(line));
  EXPECT_EQ(err.find("quadgate:"), err.rfind("quadgate:")) << err;
}

class MpiTransportTest : public ::testing::TestWithParam<MpiUnderTest> {
 protected:
  void SetUp() override {
    if (*GetParam().mpirun == '\0') {
      GTEST_SKIP() << "no mpirun." << GetParam().name << ": scripts/setup --cluster installs it";
    }
    std::string name = ::testing::TempDir() + "quadgate_mpi_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<Ranks> start(int count, const std::string& scenario,
                               const std::vector<std::string>& options = {}) const {
    const std::string plugin = paths::in_build("bin/libquadgate_mpi_") + GetParam().name + ".so";
    std::filesystem::remove(folder_ / "stdout");  // of an earlier start
    return std::make_unique<Ranks>(
        GetParam(), count,
        std::vector<std::string>{paths::in_build("tests/engine/mpi/rank_program"), plugin,
                                 scenario},
        folder_, options);
  }

  void expect_exchange(int count) const {
    const auto ranks = start(count, "exchange");
    ASSERT_TRUE(ranks->finish(kPatience)) << ranks->err();
    EXPECT_EQ(ranks->code(), 0) << ranks->err();
    for (int rank = 0; rank < count; ++rank) {
      const std::string mpi =
          GetParam().name == std::string("openmpi") ? "Open MPI v" : "MPICH Version: ";
      EXPECT_THAT(ranks->out(),
                  HasSubstr(std::to_string(rank) + " of " + std::to_string(count) + ", " + mpi));
    }
  }

  std::filesystem::path folder_;
};

TEST_P(MpiTransportTest, MessagesOfTwoRanksArriveWholeAndInOrder) { expect_exchange(2); }

TEST_P(MpiTransportTest, MessagesOfThreeRanksArriveWholeAndInOrder) { expect_exchange(3); }

TEST_P(MpiTransportTest, AMessageOfAnotherSizeIsAnError) {
  const auto ranks = start(2, "lengths");
  ASSERT_TRUE(ranks->finish(kPatience));
  EXPECT_EQ(ranks->code(), 0) << ranks->err();
  EXPECT_THAT(ranks->out(), HasSubstr("8 bytes came where 16 were expected"));
  EXPECT_THAT(ranks->out(), HasSubstr("MPI_Testsome"));
}

TEST_P(MpiTransportTest, AnErrorOfMpiIsThrown) {
  const auto ranks = start(2, "no_such_rank");
  ASSERT_TRUE(ranks->finish(kPatience));
  EXPECT_EQ(ranks->code(), 0) << ranks->err();
  EXPECT_THAT(ranks->out(), HasSubstr("MPI_Isend"));
}

TEST_P(MpiTransportTest, SumsHaveTheBitsOfOneProcess) {
  cluster::Communicator alone;
  const std::string bits = quadgate::testing::exchange_steps(alone);
  for (const int count : {2, 3}) {
    const auto ranks = start(count, "steps");
    ASSERT_TRUE(ranks->finish(kPatience)) << ranks->err();
    EXPECT_EQ(ranks->code(), 0) << ranks->err();
    std::string expected;
    for (int rank = 0; rank < count; ++rank) expected += "bits " + bits + "\n";
    EXPECT_EQ(ranks->out(), expected);
  }
}

TEST_P(MpiTransportTest, OneRankEndsAll) {
  const auto ranks = start(2, "abort");
  EXPECT_TRUE(ranks->finish(std::chrono::seconds(15)));
  EXPECT_EQ(ranks->code(), 1) << ranks->err();
}

/// Expects that all ranks end soon after one got a signal, and that one of them says so.
void expect_end(Ranks& ranks, int rank, int signal, const std::string& line) {
  while (ranks.out().find("running") == std::string::npos) {
    ASSERT_FALSE(ranks.finish(std::chrono::milliseconds(20))) << ranks.err();
  }
  ASSERT_GT(ranks.process(rank), 0);
  ::kill(ranks.process(rank), signal);
  EXPECT_TRUE(ranks.finish(std::chrono::seconds(15)));
  expect_line(ranks, "quadgate: rank " + std::to_string(rank) + " (here) " + line);
}

TEST_P(MpiTransportTest, ARankThatStandsStillEndsAll) {
  const auto ranks = start(3, "endless");
  expect_end(*ranks, 1, SIGSTOP, "has not answered for 2 s");
  EXPECT_EQ(ranks->code(), 1);
}

// MPICH's launcher kills the others at once, before they can say anything.
TEST_P(MpiTransportTest, SoDoesOneThatIsGone) {
  if (GetParam().name != std::string("openmpi")) GTEST_SKIP() << "of Open MPI alone";
  for (const int rank : {0, 1}) {
    expect_end(*start(3, "endless"), rank, SIGKILL, "is gone");
  }
  // Without a launcher that ends the others.
  expect_end(*start(3, "endless", {"--enable-recovery"}), 0, SIGKILL, "is gone");
}

TEST_P(MpiTransportTest, SoDoesOneThatThrows) {
  const auto ranks = start(2, "failing");
  EXPECT_TRUE(ranks->finish(std::chrono::seconds(15)));
  EXPECT_EQ(ranks->code(), 1);
  expect_line(*ranks, "quadgate: rank 1 (here): it ended with an error");
}

std::string name_of(const ::testing::TestParamInfo<MpiUnderTest>& test) { return test.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Mpi, MpiTransportTest,
    ::testing::Values(MpiUnderTest{"openmpi", QUADGATE_MPIRUN_OPENMPI, "OMPI_COMM_WORLD_RANK"},
                      MpiUnderTest{"mpich", QUADGATE_MPIRUN_MPICH, "PMI_RANK"}),
    name_of);

TEST(MpiPluginTest, AFileThatIsNoPluginIsNamed) {
  EXPECT_THROW(
      {
        try {
          const MpiTransport transport("/none/libquadgate_mpi_none.so");
        } catch (const FileError& error) {
          EXPECT_THAT(error.what(), HasSubstr("/none/libquadgate_mpi_none.so"));
          throw;
        }
      },
      FileError);
}

}  // namespace
}  // namespace quadgate
