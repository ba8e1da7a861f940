// Sweeps machines made in a temporary folder, or of a few numbers: shared cores and caches, one and
// two nodes, holes in the numbering, CPUs that are offline or not allowed, nothing told. No
// tolerance: CPUs have whole numbers.

#include "engine/threads/topology.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <numeric>
#include <string>
#include <utility>

#include "engine/threads/affinity.h"

namespace quadgate {
namespace {

using ::testing::ElementsAre;

class TopologyFilesTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(int cpu, const std::string& file, const std::string& text) const {
    const auto path = folder(cpu) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << '\n';
  }
  void write_siblings(int cpu, const std::string& siblings) const {
    write(cpu, "topology/thread_siblings_list", siblings);
  }
  void write_cache(int cpu, int index, const std::string& level, const std::string& cpus) const {
    write(cpu, "cache/index" + std::to_string(index) + "/level", level);
    write(cpu, "cache/index" + std::to_string(index) + "/shared_cpu_list", cpus);
  }
  void link_node(int cpu, int node) const {
    std::filesystem::create_directories(folder(cpu) / ("node" + std::to_string(node)));
  }
  Topology read(std::vector<int> cpus) const { return Topology::of(cpus, root_); }

 private:
  std::filesystem::path folder(int cpu) const {
    return root_ / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu));
  }

  const std::filesystem::path root_ = std::filesystem::path(::testing::TempDir()) /
                                      ("quadgate_topology_" + std::to_string(getpid()));
};

TEST_F(TopologyFilesTest, NeighboursThatShareACore) {
  for (int cpu = 0; cpu < 6; ++cpu) {
    const int even = cpu / 2 * 2;
    write_siblings(cpu, std::to_string(even) + "-" + std::to_string(even + 1));
  }
  EXPECT_THAT(read({0, 1, 2, 3, 4, 5}).numbers(), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_EQ(read({0, 1, 2, 3, 4, 5}).cores(), 3);
  // What may not be used is not missed.
  EXPECT_THAT(read({1, 2, 3}).numbers(), ElementsAre(1, 2, 3));
  EXPECT_EQ(read({1, 2, 3}).cores(), 2);
}

TEST_F(TopologyFilesTest, DistantCpusThatShareACore) {
  for (int cpu = 0; cpu < 4; ++cpu) {
    write_siblings(cpu, std::to_string(cpu % 2) + "," + std::to_string(cpu % 2 + 2));
  }
  EXPECT_THAT(read({0, 1, 2, 3}).numbers(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(read({0, 2, 3}).numbers(), ElementsAre(0, 3, 2));
}

TEST_F(TopologyFilesTest, WithoutTopologyEachCpuIsACoreOfOneMachine) {
  const Topology topology = read({2, 0, 1});
  EXPECT_THAT(topology.cpus(), ElementsAre(Cpu{0, 0, 0, 0}, Cpu{1, 1, 0, 0}, Cpu{2, 2, 0, 0}));
  EXPECT_EQ(topology.cores(), 3);
  EXPECT_EQ(read({}).cores(), 0);
}

TEST_F(TopologyFilesTest, TheLastLevelCacheAndTheNodeOfEachCpu) {
  // Sockets take turns in the numbers; CPU 4 is offline, and node 1 is missing.
  for (const int cpu : {0, 1, 2, 3, 5}) {
    write_cache(cpu, 0, "1", std::to_string(cpu));
    write_cache(cpu, 1, "1", std::to_string(cpu));
    write_cache(cpu, 2, "2", std::to_string(cpu));
    write_cache(cpu, 3, "3", cpu % 2 == 0 ? "0,2" : "1,3,5");
    link_node(cpu, cpu % 2 * 2);
    write(cpu, "node_of_another_kind", "");
  }
  const Topology topology = read({0, 1, 2, 3, 5});
  EXPECT_THAT(topology.cpus(), ElementsAre(Cpu{0, 0, 0, 0}, Cpu{2, 2, 0, 0}, Cpu{1, 1, 1, 2},
                                           Cpu{3, 3, 1, 2}, Cpu{5, 5, 1, 2}));
  EXPECT_THAT(topology.sharing_cache(1), ElementsAre(0, 2));
  EXPECT_THAT(topology.sharing_cache(4), ElementsAre(1, 3, 5));
}

TEST_F(TopologyFilesTest, ACacheOfTheSecondLevelIsNotTheLastOne) {
  for (const int cpu : {0, 1}) write_cache(cpu, 0, "2", std::to_string(cpu));
  EXPECT_THAT(read({0, 1}).sharing_cache(0), ElementsAre(0, 1));
}

/// Sockets of `caches` caches with `cores` cores each; the second CPU of each core comes after all
/// first ones.
Topology server(int sockets, int caches, int cores, int cpus_a_core) {
  std::vector<Cpu> cpus;
  const int all = sockets * caches * cores;
  for (int number = 0; number < all * cpus_a_core; ++number) {
    const int core = number % all;
    cpus.push_back({.number = number,
                    .core = core,
                    .cache = core / cores * cores,
                    .node = core / cores / caches});
  }
  return Topology(std::move(cpus));
}

std::vector<int> range(int first, int count) {
  std::vector<int> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

TEST(TopologyTest, TwoSocketsOf64CoresWithTwoThreadsEach) {
  const Topology topology = server(2, 1, 64, 2);
  EXPECT_EQ(topology.cores(), 128);
  EXPECT_EQ(topology.numbers(), range(0, 256));
  std::vector<int> first = range(0, 64);
  const std::vector<int> second_threads = range(128, 64);
  first.insert(first.end(), second_threads.begin(), second_threads.end());
  EXPECT_EQ(topology.sharing_cache(63), first);
  EXPECT_EQ(topology.threads_a_cache(128), 64);
  EXPECT_EQ(topology.threads_a_cache(64), 64);
  EXPECT_EQ(topology.threads_a_cache(20), 20);
  EXPECT_EQ(topology.threads_a_cache(100), 64);  // then 36
}

TEST(TopologyTest, CachesOfEightCores) {
  const Topology topology = server(2, 8, 8, 1);
  EXPECT_EQ(topology.cores(), 128);
  EXPECT_EQ(topology.sharing_cache(17), range(16, 8));
  for (const int threads : {9, 16, 64, 100, 128}) {
    EXPECT_EQ(topology.threads_a_cache(threads), 8) << threads;
  }
  EXPECT_EQ(topology.threads_a_cache(5), 5);
}

TEST(TopologyTest, OneCacheForAll) {
  const Topology topology = server(1, 1, 16, 2);
  for (const int threads : {1, 2, 16, 32}) EXPECT_EQ(topology.threads_a_cache(threads), threads);
  EXPECT_EQ(topology.threads_a_cache(33), 33);  // more than there are CPUs
  EXPECT_EQ(topology.sharing_cache(3), range(0, 32));
}

TEST(TopologyTest, CachesOfWhichNotAllCpusAreAllowed) {
  std::vector<Cpu> cpus = server(1, 3, 4, 1).cpus();
  cpus.erase(cpus.begin());  // 3, 4, 4
  EXPECT_EQ(Topology(cpus).threads_a_cache(11), 11);
  cpus = server(1, 3, 4, 1).cpus();
  cpus.pop_back();  // 4, 4, 3
  EXPECT_EQ(Topology(cpus).threads_a_cache(11), 4);
}

// Caches of a system that tells of none are those of its nodes.
TEST(TopologyTest, NodesWithoutCaches) {
  std::vector<Cpu> cpus = server(2, 1, 4, 1).cpus();
  for (Cpu& cpu : cpus) cpu.cache = 0;
  EXPECT_EQ(Topology(cpus).sharing_cache(5), range(4, 4));
  EXPECT_EQ(Topology(cpus).threads_a_cache(8), 4);
}

TEST(TopologyTest, ThisMachine) {
  const std::vector<int> cpus = allowed_cpus();
  const Topology topology = Topology::of(cpus);
  EXPECT_THAT(topology.numbers(), ::testing::UnorderedElementsAreArray(cpus));
  EXPECT_GE(topology.cores(), 1);
  EXPECT_THAT(topology.sharing_cache(0), ::testing::Contains(topology.numbers().front()));
}

}  // namespace
}  // namespace quadgate
