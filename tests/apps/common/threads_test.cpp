// Sweeps where the number of threads comes from, and cgroup trees of both versions made in a
// temporary folder. No tolerance: nothing is rounded.

#include "apps/common/threads.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <fstream>

#include "apps/common/host.h"
#include "engine/base/error.h"
#include "engine/threads/affinity.h"

namespace quadgate::apps {
namespace {

class ThreadsTest : public testing::Test {
 protected:
  void SetUp() override { unsetenv("SLURM_CPUS_PER_TASK"); }
  void TearDown() override {
    unsetenv("SLURM_CPUS_PER_TASK");
    std::filesystem::remove_all(root_);
  }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  // Named by the process, as ctest runs tests at the same time.
  std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / ("quadgate_threads_" + std::to_string(getpid()));
};

TEST_F(ThreadsTest, FlagGoesBeforeRunFileBeforeSlurm) {
  setenv("SLURM_CPUS_PER_TASK", "1", 1);
  EXPECT_EQ(choose_threads(3, 4), 3);
  EXPECT_EQ(choose_threads({}, 4), 4);
  EXPECT_EQ(choose_threads({}), 1);
}

TEST_F(ThreadsTest, SlurmGivesNoMoreThanTheCoresAndSaysSo) {
  unsetenv("SLURM_CPUS_PER_TASK");
  const int cores = choose_threads({});
  setenv("SLURM_CPUS_PER_TASK", "1000", 1);
  testing::internal::CaptureStderr();
  EXPECT_EQ(choose_threads({}), cores);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("SLURM_CPUS_PER_TASK"));
  testing::internal::CaptureStderr();
  EXPECT_EQ(choose_threads(1000), 1000);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("--threads"));
}

TEST_F(ThreadsTest, AnEmptyVariableIsNone) {
  const int cores = choose_threads({});
  setenv("SLURM_CPUS_PER_TASK", "", 1);
  EXPECT_EQ(choose_threads({}), cores);
}

TEST_F(ThreadsTest, OneRankOfSeveralTakesItsPart) {
  const int cores = choose_threads({});
  EXPECT_EQ(choose_threads({}, {}, 1), 1);
  EXPECT_EQ(choose_threads({}, {}, cores + 1), cores);
  EXPECT_EQ(choose_threads(3, {}, 1), 3);
  setenv("SLURM_CPUS_PER_TASK", "1", 1);
  EXPECT_EQ(choose_threads({}, {}, cores), 1);
}

TEST_F(ThreadsTest, OtherwiseAtMostTheAffinityMask) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_GE(choose_threads({}), 1);
  EXPECT_LE(choose_threads({}), CPU_COUNT(&all));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &all)) {
      CPU_SET(cpu, &one);
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(choose_threads({}), 1);
  sched_setaffinity(0, sizeof(all), &all);
}

TEST_F(ThreadsTest, NumbersOutOfRangeThrow) {
  EXPECT_THROW(choose_threads(0), InvalidArgument);
  EXPECT_THROW(choose_threads(-2), InvalidArgument);
  EXPECT_THROW(choose_threads(1025), InvalidArgument);
  for (const char* text : {"0", "two", "2x", "99999999999999999999"}) {
    setenv("SLURM_CPUS_PER_TASK", text, 1);
    EXPECT_THROW(choose_threads({}), InvalidArgument) << text;
  }
}

TEST_F(ThreadsTest, ListsAreSortedAndHoldEachCountOnce) {
  EXPECT_EQ(parse_thread_counts("4,1,1024"), (std::vector{1, 4, 1024}));
  EXPECT_EQ(parse_thread_counts("3"), std::vector{3});
  for (const char* list :
       {"", ",", "1,", ",1", "1,,2", "1,2,1", "0,1", "1025", "1-2", "1, 2", "a"}) {
    EXPECT_THROW(parse_thread_counts(list), InvalidArgument) << list;
  }
}

TEST_F(ThreadsTest, WithoutANumberThereIsOneForEachPhysicalCore) {
  EXPECT_LE(choose_threads({}), Topology::of(allowed_cpus()).cores());
}

TEST_F(ThreadsTest, ThreadsKeepToTheirCachesWhereTheyFillTheCores) {
  // Two caches of two cores with two CPUs each.
  std::vector<Cpu> cpus;
  for (int number = 0; number < 8; ++number) {
    const int core = number % 4;
    cpus.push_back({.number = number, .core = core, .cache = core / 2 * 2});
  }
  const Topology topology(cpus);
  for (const int threads : {4, 5, 8}) {
    EXPECT_EQ(choose_pinning(threads, topology, {}), Pinning::caches) << threads;
    EXPECT_EQ(choose_pinning(threads, topology, threads), Pinning::caches) << threads;
    EXPECT_EQ(choose_pinning(threads, topology, threads - 1), Pinning::none) << threads;
  }
  // Another training may have the rest of the cores, or all of them are shared anyhow.
  for (const int threads : {1, 2, 3, 9}) {
    EXPECT_EQ(choose_pinning(threads, topology, {}), Pinning::none) << threads;
  }
  EXPECT_EQ(choose_pinning(1, Topology(), {}), Pinning::none);
}

TEST_F(ThreadsTest, AHostsThreadsAreLeftAlone) {
  const Host python{.tell = [](Host::Kind, std::string_view) {}, .stops = [] { return false; }};
  const Hosted hosted(python);
  EXPECT_EQ(choose_pinning(Topology::of(allowed_cpus()).cores()), Pinning::none);
}

TEST_F(ThreadsTest, NoCgroupNoQuota) { EXPECT_EQ(cgroup_cpus(root_), std::nullopt); }

TEST_F(ThreadsTest, QuotaOfVersion2RoundsDownAndTheSmallestOnTheWayCounts) {
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), std::nullopt);
  write("sys/fs/cgroup/a/cpu.max", "399999 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 3);
  write("sys/fs/cgroup/a/b/cpu.max", "50000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 1) << "one at least";
}

TEST_F(ThreadsTest, QuotaOfVersion2InAContainerLiesAtTheMount) {
  write("proc/self/cgroup", "0::/not/seen/from/inside\n");
  write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_EQ(cgroup_cpus(root_), 3);
}

TEST_F(ThreadsTest, QuotaOfVersion1) {
  write("proc/self/cgroup", "5:memory:/m\n4:cpuacct,cpu:/job\n3:cpuset:/s\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "-1\n");
  write("sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cgroup_cpus(root_), std::nullopt);
  write("sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "400000\n");
  EXPECT_EQ(cgroup_cpus(root_), 4);
}

}  // namespace
}  // namespace quadgate::apps
