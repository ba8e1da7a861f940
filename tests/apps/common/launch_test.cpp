// Sweeps what the launchers of both MPIs and Slurm say to the processes they start, as these said
// it: Open MPI 4.1.4, MPICH 4.0.2, Slurm 22.05.8. No tolerance: nothing is rounded.

#include "apps/common/launch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

using testing::HasSubstr;

const Environment kOpenMpi = {{"OMPI_COMM_WORLD_SIZE", "4"},
                              {"OMPI_COMM_WORLD_RANK", "3"},
                              {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"},
                              {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                              {"PMIX_RANK", "3"}};
const Environment kMpich = {{"PMI_SIZE", "4"},
                            {"PMI_RANK", "2"},
                            {"PMI_FD", "8"},
                            {"MPI_LOCALNRANKS", "2"},
                            {"MPI_LOCALRANKID", "0"}};
const Environment kSlurmStep = {{"SLURM_STEP_NUM_TASKS", "7"},
                                {"SLURM_PROCID", "5"},
                                {"SLURM_LOCALID", "1"},
                                {"SLURM_NODEID", "2"},
                                {"SLURM_STEP_TASKS_PER_NODE", "2(x2),3"}};

Environment operator+(Environment one, const Environment& other) {
  for (const auto& [name, value] : other) one[name] = value;
  return one;
}

void expect_launch(const Environment& variables, const Launch& expected) {
  const std::optional<Launch> found = launch(variables);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->launcher, expected.launcher);
  EXPECT_EQ(found->mpi, expected.mpi);
  EXPECT_EQ(found->world_size, expected.world_size);
  EXPECT_EQ(found->rank, expected.rank);
  EXPECT_EQ(found->local_size, expected.local_size);
  EXPECT_EQ(found->local_rank, expected.local_rank);
  EXPECT_EQ(found->node_cpus, expected.node_cpus);
}

std::string launch_error(const Environment& variables) {
  try {
    launch(variables);
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "no error";
}

TEST(LaunchTest, NoLauncher) {
  EXPECT_FALSE(launch({}));
  EXPECT_FALSE(launch({{"OMPI_COMM_WORLD_SIZE", ""}, {"PMI_SIZE", ""}, {"HOME", "/root"}}));
  // A script of sbatch is no step of srun.
  EXPECT_FALSE(launch({{"SLURM_JOB_ID", "7"}, {"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}}));
}

TEST(LaunchTest, Mpirun) {
  expect_launch(kOpenMpi, {"mpirun of Open MPI", Mpi::openmpi, 4, 3, 2, 1, {}});
  expect_launch(kMpich, {"mpirun of MPICH", Mpi::mpich, 4, 2, 2, 0, {}});
}

TEST(LaunchTest, MpirunInAJobOfSlurm) {
  // Both start a helper a node with srun: what is said of these is not said of ranks.
  const Environment helper = {{"SLURM_STEP_NUM_TASKS", "2"},
                              {"SLURM_PROCID", "1"},
                              {"SLURM_LOCALID", "0"},
                              {"SLURM_NODEID", "1"},
                              {"SLURM_CPUS_ON_NODE", "16"}};
  expect_launch(kOpenMpi + helper, {"mpirun of Open MPI", Mpi::openmpi, 4, 3, 2, 1, 16});
  expect_launch(kMpich + helper, {"mpirun of MPICH", Mpi::mpich, 4, 2, 2, 0, 16});
}

TEST(LaunchTest, Srun) {
  expect_launch(kSlurmStep + Environment{{"PMIX_RANK", "5"}},
                {"srun", Mpi::openmpi, 7, 5, 3, 1, {}});
  expect_launch(kSlurmStep + Environment{{"PMI_SIZE", "7"}, {"PMI_RANK", "5"}},
                {"srun", Mpi::mpich, 7, 5, 3, 1, {}});
}

TEST(LaunchTest, TasksOfEachNode) {
  const auto tasks = [](const char* list, const char* node) {
    return launch(kSlurmStep + Environment{{"PMIX_RANK", "5"},
                                           {"SLURM_STEP_TASKS_PER_NODE", list},
                                           {"SLURM_NODEID", node}})
        ->local_size;
  };
  EXPECT_EQ(tasks("4", "0"), 4);
  EXPECT_EQ(tasks("2(x2),3", "0"), 2);
  EXPECT_EQ(tasks("2(x2),3", "1"), 2);
  EXPECT_EQ(tasks("2(x2),3", "2"), 3);
  EXPECT_EQ(tasks("1,5(x10),2", "11"), 2);
  EXPECT_EQ(tasks("1,5(x10),2", "12"), 1);
}

TEST(LaunchTest, SrunWithoutAPmi) {
  EXPECT_THAT(launch_error(kSlurmStep), HasSubstr("srun started 7 processes"));
  EXPECT_THAT(launch_error(kSlurmStep), HasSubstr("--mpi=pmix"));
  // One process needs no other.
  EXPECT_EQ(launch({{"SLURM_STEP_NUM_TASKS", "1"}})->world_size, 1);
}

TEST(LaunchTest, TheFirstOfALauncher) {
  EXPECT_TRUE(is_first({}));
  EXPECT_FALSE(is_first(kOpenMpi));
  EXPECT_FALSE(is_first(kSlurmStep));
  EXPECT_TRUE(is_first({{"SLURM_PROCID", "0"}}));
  // A helper of mpirun's, the second one of srun's processes, has started the first rank.
  EXPECT_TRUE(is_first({{"OMPI_COMM_WORLD_RANK", "0"}, {"SLURM_PROCID", "1"}}));
  EXPECT_TRUE(is_first({{"PMI_RANK", "0"}, {"SLURM_PROCID", "1"}}));
}

TEST(LaunchTest, NumbersThatCannotBe) {
  EXPECT_THAT(launch_error(kOpenMpi + Environment{{"OMPI_COMM_WORLD_SIZE", "four"}}),
              HasSubstr("OMPI_COMM_WORLD_SIZE: expected 1 to 1048576, found 'four'"));
  EXPECT_THAT(launch_error(kOpenMpi + Environment{{"OMPI_COMM_WORLD_RANK", "-1"}}),
              HasSubstr("OMPI_COMM_WORLD_RANK: expected 0 to"));
  EXPECT_THAT(launch_error(kMpich + Environment{{"PMI_SIZE", "99999999999"}}),
              HasSubstr("PMI_SIZE"));
  for (const char* const list : {"2(x", "2(x0)", "x", "(x3)", "2(y3)"}) {
    EXPECT_THAT(launch_error(kSlurmStep +
                             Environment{{"PMIX_RANK", "5"}, {"SLURM_STEP_TASKS_PER_NODE", list}}),
                HasSubstr("SLURM_STEP_TASKS_PER_NODE: expected 1 to"))
        << list;
  }
}

TEST(LaunchTest, TheEnvironmentOfThisProcess) {
  setenv("QUADGATE_TEST_OF_LAUNCH", "a=b", 1);
  EXPECT_EQ(environment().at("QUADGATE_TEST_OF_LAUNCH"), "a=b");
}

}  // namespace
}  // namespace quadgate::apps
