#include "apps/common/placement.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>

#include "apps/common/machine.h"
#include "apps/common/threads.h"

namespace quadgate::apps {
namespace {

/// The physical cores with a CPU that this process may run on, by the list of their CPUs.
std::set<std::string> allowed_cores(const Machine& machine, const std::filesystem::path& root) {
  std::set<std::string> allowed;
  for (const int cpu : machine.affinity) {
    std::ifstream siblings(
        root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string core = std::to_string(cpu);
    siblings >> core;
    allowed.insert(core);
  }
  return allowed;
}

std::string option_for(const Launch& launch, int cores) {
  if (launch.launcher == "srun") return fmt::format("--cpus-per-task={}", cores);
  return launch.mpi == Mpi::openmpi ? "--bind-to none" : "-bind-to none";
}

}  // namespace

NodeCores node_cores(const std::filesystem::path& root) {
  const Machine machine = describe_machine(root);
  return {.cpus = std::max(machine.cpus, 1),
          .cores = std::max(machine.cores, 1),
          .allowed_cores = std::max(static_cast<int>(allowed_cores(machine, root).size()), 1)};
}

RankCores rank_cores(const std::filesystem::path& root) {
  const Machine machine = describe_machine(root);
  RankCores mine{.machine = {}, .cores = allowed_cores(machine, root), .quota = cgroup_cpus(root)};
  // Containers and namespaces of one machine have names of their own.
  std::ifstream(root / "proc/sys/kernel/random/boot_id") >> mine.machine;
  if (mine.machine.empty()) mine.machine = "unknown";
  return mine;
}

std::string to_text(const RankCores& cores) {
  return fmt::format("{} {} {}", cores.machine, cores.quota.value_or(0),
                     fmt::join(cores.cores, " "));
}

RankCores parse_rank_cores(std::string_view text) {
  std::istringstream words{std::string(text)};
  RankCores cores;
  int quota = 0;
  words >> cores.machine >> quota;
  if (quota > 0) cores.quota = quota;
  for (std::string core; words >> core;) cores.cores.insert(core);
  return cores;
}

bool have_cores(std::span<const RankCores> ranks, int threads) {
  struct Node {
    std::set<std::string> cores;
    int wanted = 0;
    int quota = 0;
  };
  const auto has = [](std::size_t cores, int wanted) { return std::cmp_less_equal(wanted, cores); };
  std::map<std::string, Node> nodes;
  for (const RankCores& rank : ranks) {
    Node& node = nodes[rank.machine];
    node.cores.insert(rank.cores.begin(), rank.cores.end());
    node.wanted += threads;
    node.quota = rank.quota.value_or(node.wanted);
    if (!has(rank.cores.size(), threads)) return false;
  }
  return std::ranges::all_of(nodes, [&](const auto& item) {
    const Node& node = item.second;
    return has(node.cores.size(), node.wanted) && node.wanted <= node.quota;
  });
}

int cores_of_rank(const Launch& launch, const NodeCores& node) {
  const int cpus = std::min(node.cpus, launch.node_cpus.value_or(node.cpus));
  return std::max(1, cpus * node.cores / node.cpus / launch.local_size);
}

std::vector<std::string> placement_warnings(const Launch& launch, const NodeCores& node,
                                            int threads) {
  std::vector<std::string> warnings;
  const int cores = cores_of_rank(launch, node);
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
