// Sweeps what is told of machines made in a temporary folder. No tolerance: text and counts.

#include "apps/common/machine.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

namespace quadgate::apps {
namespace {

class MachineTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove_all(root_); }

  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

  const std::filesystem::path root_ =
      std::filesystem::path(testing::TempDir()) / ("quadgate_machine_" + std::to_string(getpid()));
};

TEST_F(MachineTest, CountsCoresCachesAndNodes) {
  std::string info;
  for (const char* cpu : {"0", "1", "2", "3"}) {
    info += "processor\t: " + std::string(cpu) + "\nmodel name\t: Quick CPU @ 3 GHz\ncache\t:\n\n";
  }
  write("proc/cpuinfo", info);
  const std::string cpu = "sys/devices/system/cpu/cpu";
  for (const char* pair : {"0,2", "1,3"}) {
    for (const char digit : {pair[0], pair[2]}) {
      write(cpu + digit + "/topology/thread_siblings_list", pair);
    }
  }
  write(cpu + "0/cache/index0/level", "1\n");
  write(cpu + "0/cache/index0/type", "Data\n");
  write(cpu + "0/cache/index0/size", "48K\n");
  write(cpu + "0/cache/index0/shared_cpu_list", "0,2\n");
  write(cpu + "0/cache/index1/level", "3\n");
  write(cpu + "0/cache/index1/type", "Unified\n");
  write(cpu + "0/cache/index1/size", "32768K\n");
  write(cpu + "0/cache/index1/shared_cpu_list", "0-3\n");
  write("sys/devices/system/node/node0/cpulist", "0,2\n");
  write("sys/devices/system/node/node1/cpulist", "1,3\n");
  write("proc/sys/kernel/osrelease", "6.1.0\n");
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "150000 100000\n");

  const Machine machine = describe_machine(root_);
  EXPECT_EQ(machine.cpu_model, "Quick CPU @ 3 GHz");
  EXPECT_EQ(machine.cpus, 4);
  EXPECT_EQ(machine.cores, 2);
  EXPECT_THAT(machine.caches,
              testing::ElementsAre("L1d 48K, of CPUs 0,2", "L3 32768K, of CPUs 0-3"));
  EXPECT_EQ(machine.numa_nodes, 2);
  EXPECT_EQ(machine.kernel, "Linux 6.1.0");
  EXPECT_EQ(machine.cgroup_cpus, 1);
  EXPECT_FALSE(machine.affinity.empty());
}

TEST_F(MachineTest, WhatTheSystemDoesNotTellIsUnknown) {
  const Machine machine = describe_machine(root_);
  EXPECT_EQ(machine.cpu_model, "unknown");
  EXPECT_EQ(machine.cpus, 0);
  EXPECT_EQ(machine.cgroup_cpus, std::nullopt);
}

}  // namespace
}  // namespace quadgate::apps
