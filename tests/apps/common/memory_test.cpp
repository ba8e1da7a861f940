// Sweeps what systems tell of memory: none, a machine alone, with swap, and within control groups
// of both versions. No tolerance: numbers of bytes.

#include "apps/common/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace quadgate::apps {
namespace {

class MemoryTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  std::optional<double> available() const { return memory_now(root_).available; }

  std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / ("quadgate_memory_" + std::to_string(getpid()));
};

TEST_F(MemoryTest, WithoutProcNothingIsTold) {
  EXPECT_EQ(available(), std::nullopt);
  EXPECT_EQ(memory_now(root_).taken, 0);
  write("proc/meminfo", "MemTotal: 9 kB\n");
  EXPECT_EQ(available(), std::nullopt);
}

TEST_F(MemoryTest, OfAMachine) {
  write("proc/meminfo",
        "MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:   40 kB\nSwapFree: 2 kB\n");
  EXPECT_EQ(available(), 42 * 1024);
  write("proc/self/statm", "90 3 1 1 0 1 0\n");
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  EXPECT_EQ(memory_now(root_).taken, 3 * page);
  EXPECT_EQ(available(), 42 * 1024 + 3 * page);
}

TEST_F(MemoryTest, OfControlGroupsTheFewest) {
  write("proc/meminfo", "MemAvailable: 1000 kB\n");
  write("proc/self/cgroup", "0::/job/step\n");
  write("sys/fs/cgroup/job/memory.max", "max\n");
  write("sys/fs/cgroup/job/memory.current", "5\n");
  EXPECT_EQ(available(), 1000 * 1024);
  write("sys/fs/cgroup/job/step/memory.max", "5000\n");
  write("sys/fs/cgroup/job/step/memory.current", "4000\n");
  write("sys/fs/cgroup/job/step/memory.stat", "anon 9\ninactive_file 100\nactive_file 20\n");
  EXPECT_EQ(available(), 1120);
  write("sys/fs/cgroup/job/memory.max", "1000\n");
  write("sys/fs/cgroup/job/memory.current", "1500\n");
  EXPECT_EQ(available(), 0);
}

TEST_F(MemoryTest, OfControlGroupsOfVersion1) {
  write("proc/meminfo", "MemAvailable: 1000 kB\n");
  write("proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/a/memory.usage_in_bytes", "600\n");
  EXPECT_EQ(available(), 1000 * 1024);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "900\n");
  write("sys/fs/cgroup/memory/memory.usage_in_bytes", "800\n");
  write("sys/fs/cgroup/memory/memory.stat", "total_inactive_file 50\n");
  EXPECT_EQ(available(), 150);
}

}  // namespace
}  // namespace quadgate::apps
