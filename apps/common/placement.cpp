#include "apps/common/placement.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "apps/common/machine.h"

namespace quadgate::apps {
namespace {

int part_of(int count, const Launch& launch) {
  return std::max(1, std::min(count, launch.node_cpus.value_or(count)) / launch.local_size);
}

std::string option_for(const Launch& launch, int cores) {
  if (launch.launcher == "srun") return fmt::format("--cpus-per-task={}", cores);
  return launch.mpi == Mpi::openmpi ? "--bind-to none" : "-bind-to none";
}

}  // namespace

NodeCores node_cores(const std::filesystem::path& root) {
  const Machine machine = describe_machine(root);
  std::set<std::string> allowed;
  for (const int cpu : machine.affinity) {
    std::ifstream siblings(
        root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string core = std::to_string(cpu);
    siblings >> core;
    allowed.insert(core);
  }
  return {.cpus = std::max(machine.cpus, 1),
          .cores = std::max(machine.cores, 1),
          .allowed_cores = std::max(static_cast<int>(allowed.size()), 1)};
}

int cpus_of_rank(const Launch& launch, const NodeCores& node) { return part_of(node.cpus, launch); }

std::vector<std::string> placement_warnings(const Launch& launch, const NodeCores& node,
                                            int threads) {
  std::vector<std::string> warnings;
  const int cores = part_of(node.cores, launch);
  if (node.allowed_cores == 1 && cores > 1) {
    warnings.push_back(
        fmt::format("{} bound each rank to one core, where {} are there for it: give it {}",
                    launch.launcher, cores, option_for(launch, cores)));
  }
  const int cpus = std::min(node.cpus, launch.node_cpus.value_or(node.cpus));
  if (launch.local_size > 1 && launch.local_size * threads > cpus) {
    warnings.push_back(fmt::format("{} ranks of {} {} share the {} {} of this node",
                                   launch.local_size, threads, threads == 1 ? "thread" : "threads",
                                   cpus, cpus == 1 ? "CPU" : "CPUs"));
  }
  return warnings;
}

}  // namespace quadgate::apps
