// Looks for plug-ins in folders made for it, and starts MPIs that do not fit. No tolerance: nothing
// is rounded.

#include "apps/common/mpi_launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "apps/common/command.h"
#include "apps/common/ranks.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class MpiLaunchTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "quadgate_launch_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = std::filesystem::canonical(name);
    touch("bin/quadgate");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void touch(const std::string& name) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << "x";
  }
  std::string found() const { return find_plugin(srun_, folder_ / "bin/quadgate"); }
  std::string error() const {
    try {
      return found();
    } catch (const FileError& error) {
      return error.what();
    }
  }

  std::filesystem::path folder_;
  Launch srun_ = {.launcher = "srun", .mpi = Mpi::mpich, .world_size = 4, .rank = 1};
};

TEST_F(MpiLaunchTest, ThePluginLiesBesideTheProgram) {
  touch("bin/libquadgate_mpi_mpich.so");
  EXPECT_EQ(found(), folder_ / "bin/libquadgate_mpi_mpich.so");
  std::filesystem::create_symlink("bin/quadgate", folder_ / "link");
  EXPECT_EQ(find_plugin(srun_, folder_ / "link"), folder_ / "bin/libquadgate_mpi_mpich.so");
}

TEST_F(MpiLaunchTest, OrWhereItIsInstalled) {
  touch("lib/quadgate/libquadgate_mpi_mpich.so");
  EXPECT_EQ(found(), folder_ / "lib/quadgate/libquadgate_mpi_mpich.so");
}

TEST_F(MpiLaunchTest, NoneIsAnErrorThatSaysWhatToDo) {
  EXPECT_THAT(error(), AllOf(HasSubstr("libquadgate_mpi_mpich.so: srun started 4 ranks"),
                             HasSubstr("scripts/setup --cluster")));
  touch("bin/libquadgate_mpi_openmpi.so");
  EXPECT_THAT(error(), HasSubstr("start it with srun --mpi=pmix"));
}

TEST_F(MpiLaunchTest, AnMpiThatSeesOtherRanksIsAnError) {
  EXPECT_NO_THROW(expect_ranks(srun_, 4, "MPICH Version: 4.0.2"));
  try {
    expect_ranks(srun_, 1, "MPICH Version: 4.0.2");
    FAIL() << "no error";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("srun started 4 ranks, but MPICH Version: 4.0.2 finds 1"),
                      HasSubstr("--mpi=pmi2")));
  }
}

TEST_F(MpiLaunchTest, OnlyTheFirstRankSaysThatNoMpiCanConnectThem) {
  setenv("SLURM_STEP_NUM_TASKS", "4", 1);
  for (const char* const rank : {"0", "1"}) {
    setenv("SLURM_PROCID", rank, 1);
    int code = 0;
    try {
      code = Ranks::work([](Ranks*) { return kExitDone; });
    } catch (const InvalidArgument&) {
      code = -1;
    }
    EXPECT_EQ(code, *rank == '0' ? -1 : kExitWrongUse);
  }
  unsetenv("SLURM_STEP_NUM_TASKS");
  unsetenv("SLURM_PROCID");
}

TEST_F(MpiLaunchTest, OneRankNeedsNoMpi) {
  EXPECT_EQ(connect({.launcher = "srun", .world_size = 1}), nullptr);
}

}  // namespace
}  // namespace quadgate::apps
