#include "engine/threads/affinity.h"

#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <utility>

namespace quadgate {
namespace {

/// The lowest CPU of the physical core that `cpu` is part of, which stands for the core.
int core_of(int cpu, const std::filesystem::path& root) {
  std::ifstream siblings(
      root / fmt::format("sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
  int lowest = cpu;
  siblings >> lowest;
  return siblings ? lowest : cpu;
}

}  // namespace

std::vector<int> cores_first(std::span<const int> cpus, const std::filesystem::path& root) {
  std::map<int, int> seen_of_core;
  std::vector<std::pair<int, int>> ranked;  // CPUs of the same core before it, CPU
  for (const int cpu : cpus) {
    ranked.emplace_back(seen_of_core[core_of(cpu, root)]++, cpu);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<int> ordered;
  ordered.reserve(ranked.size());
  for (const auto& [rank, cpu] : ranked) {
    ordered.push_back(cpu);
  }
  return ordered;
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) != 0) {
    return {};
  }
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<std::size_t>(cpu), &set)) {
      cpus.push_back(cpu);
    }
  }
  return cores_first(cpus);
}

std::int32_t current_thread_id() noexcept { return gettid(); }

void restrict_thread(std::int32_t thread_id, std::span<const int> cpus) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : cpus) {
    CPU_SET(static_cast<std::size_t>(cpu), &set);
  }
  sched_setaffinity(thread_id, sizeof(set), &set);
}

}  // namespace quadgate
