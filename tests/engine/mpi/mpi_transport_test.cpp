// Starts a program as 2 and 3 ranks with each MPI that the build found. No tolerance: messages are
// bytes.

#include "engine/mpi/mpi_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/support/ranks.h"

namespace quadgate {
namespace {

using quadgate::testing::MpiUnderTest;
using quadgate::testing::Ranks;
using ::testing::HasSubstr;

constexpr std::chrono::seconds kPatience(60);

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

  std::unique_ptr<Ranks> start(int count, const std::string& scenario) const {
    const std::string plugin =
        std::string(QUADGATE_PLUGINS) + "/libquadgate_mpi_" + GetParam().name + ".so";
    return std::make_unique<Ranks>(
        GetParam(), count, std::vector<std::string>{QUADGATE_RANK_PROGRAM, plugin, scenario},
        folder_);
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

TEST_P(MpiTransportTest, OneRankEndsAll) {
  const auto ranks = start(2, "abort");
  EXPECT_TRUE(ranks->finish(std::chrono::seconds(15)));
  EXPECT_EQ(ranks->code(), 1) << ranks->err();
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
