// Sweeps core topologies made in a temporary folder, and the machine's own. No tolerance: CPUs have
// whole numbers.

#include "engine/threads/affinity.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace quadgate {
namespace {

class CoresFirstTest : public ::testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write_siblings(int cpu, const std::string& siblings) const {
    const auto folder = root_ / "sys/devices/system/cpu" / ("cpu" + std::to_string(cpu));
    std::filesystem::create_directories(folder / "topology");
    std::ofstream(folder / "topology/thread_siblings_list") << siblings << '\n';
  }

  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("quadgate_cores_" + std::to_string(getpid()));
};

TEST_F(CoresFirstTest, NeighboursThatShareACore) {
  for (int cpu = 0; cpu < 6; ++cpu) {
    const int even = cpu / 2 * 2;
    write_siblings(cpu, std::to_string(even) + "-" + std::to_string(even + 1));
  }
  EXPECT_THAT(cores_first(std::vector{0, 1, 2, 3, 4, 5}, root_),
              ::testing::ElementsAre(0, 2, 4, 1, 3, 5));
  // What may not be used is not missed.
  EXPECT_THAT(cores_first(std::vector{1, 2, 3}, root_), ::testing::ElementsAre(1, 2, 3));
}

TEST_F(CoresFirstTest, DistantCpusThatShareACore) {
  for (int cpu = 0; cpu < 4; ++cpu) {
    write_siblings(cpu, std::to_string(cpu % 2) + "," + std::to_string(cpu % 2 + 2));
  }
  EXPECT_THAT(cores_first(std::vector{0, 1, 2, 3}, root_), ::testing::ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(cores_first(std::vector{0, 2, 3}, root_), ::testing::ElementsAre(0, 3, 2));
}

TEST_F(CoresFirstTest, WithoutTopologyEachCpuIsACore) {
  EXPECT_THAT(cores_first(std::vector{0, 1, 2}, root_), ::testing::ElementsAre(0, 1, 2));
}

TEST(RestrictThreadTest, LeavesTheCpusThatAreNamed) {
  const std::vector<int> cpus = allowed_cpus();
  ASSERT_FALSE(cpus.empty());
  const std::vector<int> last = {cpus.back()};
  restrict_thread(current_thread_id(), last);
  EXPECT_EQ(allowed_cpus(), last);
  restrict_thread(current_thread_id(), {});  // none of them can be used: as before
  EXPECT_EQ(allowed_cpus(), last);
  restrict_thread(current_thread_id(), cpus);
  EXPECT_EQ(allowed_cpus(), cpus);
}

}  // namespace
}  // namespace quadgate
