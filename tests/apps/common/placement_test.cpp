// Sweeps how launchers place ranks on a node's cores. No tolerance: nothing is rounded.

#include "apps/common/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace quadgate::apps {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Launch ranks(int local_size, const char* launcher = "mpirun of Open MPI", Mpi mpi = Mpi::openmpi) {
  return {.launcher = launcher, .mpi = mpi, .world_size = local_size, .local_size = local_size};
}

TEST(PlacementTest, OneCoreOfMany) {
  const NodeCores bound = {.cpus = 16, .cores = 8, .allowed_cores = 1};
  EXPECT_THAT(placement_warnings(ranks(2), bound, 1),
              ElementsAre(AllOf(HasSubstr("mpirun of Open MPI"), HasSubstr("--bind-to none"))));
  EXPECT_THAT(placement_warnings(ranks(1), bound, 1), ElementsAre(HasSubstr("--bind-to none")));
  EXPECT_THAT(placement_warnings(ranks(2, "srun"), bound, 1),
              ElementsAre(AllOf(HasSubstr("srun"), HasSubstr("--cpus-per-task=4"))));
  EXPECT_THAT(placement_warnings(ranks(8), bound, 1), IsEmpty());
  EXPECT_THAT(placement_warnings(ranks(2), {.cpus = 16, .cores = 8, .allowed_cores = 4}, 4),
              IsEmpty());
}

TEST(PlacementTest, TheJobHasAPartOfTheNode) {
  Launch launch = ranks(2, "srun");
  launch.node_cpus = 2;
  EXPECT_THAT(placement_warnings(launch, {.cpus = 16, .cores = 8, .allowed_cores = 1}, 1),
              IsEmpty());
  EXPECT_EQ(cores_of_rank(launch, {.cpus = 16, .cores = 8, .allowed_cores = 8}), 1);
  launch.node_cpus = 12;  // the two CPUs of six cores
  EXPECT_EQ(cores_of_rank(launch, {.cpus = 16, .cores = 8, .allowed_cores = 8}), 3);
}

TEST(PlacementTest, MoreThreadsThanCpus) {
  const NodeCores free = {.cpus = 4, .cores = 4, .allowed_cores = 4};
  EXPECT_THAT(placement_warnings(ranks(2), free, 2), IsEmpty());
  EXPECT_THAT(placement_warnings(ranks(2), free, 3),
              ElementsAre(HasSubstr("2 ranks of 3 threads share the 4 CPUs")));
  // Of one rank --threads tells.
  EXPECT_THAT(placement_warnings(ranks(1), free, 5), IsEmpty());
}

TEST(PlacementTest, CoresOfARank) {
  const NodeCores node = {.cpus = 16, .cores = 8, .allowed_cores = 8};
  EXPECT_EQ(cores_of_rank(ranks(1), node), 8);
  EXPECT_EQ(cores_of_rank(ranks(3), node), 2);
  EXPECT_EQ(cores_of_rank(ranks(17), node), 1);
}

TEST(PlacementTest, ThisMachine) {
  const NodeCores node = node_cores();
  EXPECT_GE(node.cpus, node.cores);
  EXPECT_GE(node.cores, node.allowed_cores);
  EXPECT_GE(node.allowed_cores, 1);
  const RankCores mine = rank_cores();
  EXPECT_EQ(static_cast<int>(mine.cores.size()), node.allowed_cores);
  EXPECT_EQ(parse_rank_cores(to_text(mine)), mine);
}

TEST(RankCoresTest, TextGoesThereAndBack) {
  const RankCores bound{.machine = "a-b-c", .cores = {"0-1", "2-3"}, .quota = 3};
  EXPECT_EQ(to_text(bound), "a-b-c 3 0-1 2-3");
  EXPECT_EQ(parse_rank_cores("a-b-c 3 0-1 2-3"), bound);
  EXPECT_EQ(parse_rank_cores("a 0 7"), (RankCores{.machine = "a", .cores = {"7"}}));
}

TEST(RankCoresTest, EachThreadHasACoreThatNoOtherNeeds) {
  const RankCores free{.machine = "a", .cores = {"0", "1", "2", "3"}};
  const RankCores other{.machine = "b", .cores = {"0", "1", "2", "3"}};
  const RankCores first{.machine = "a", .cores = {"0"}};
  const RankCores second{.machine = "a", .cores = {"1"}};
  using All = std::vector<RankCores>;
  EXPECT_TRUE(have_cores(All{free, free}, 2));
  EXPECT_FALSE(have_cores(All{free, free}, 3));
  EXPECT_TRUE(have_cores(All{free, other}, 4));
  EXPECT_TRUE(have_cores(All{first, second}, 1));
  EXPECT_FALSE(have_cores(All{first, second}, 2));
  EXPECT_FALSE(have_cores(All{first, first}, 1));
  RankCores quota = free;
  quota.quota = 2;
  EXPECT_TRUE(have_cores(All{quota}, 2));
  EXPECT_FALSE(have_cores(All{quota, quota}, 2));
}

}  // namespace
}  // namespace quadgate::apps
