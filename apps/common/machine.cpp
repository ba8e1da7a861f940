#include "apps/common/machine.h"

#include <fmt/format.h>

#include <fstream>
#include <set>

#include "apps/common/threads.h"
#include "engine/threads/affinity.h"
#include "engine/threads/topology.h"
#include "kernels/base/isa.h"

namespace quadgate::apps {
namespace {

/// The first line of a file; empty if there is none.
std::string line_of(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::vector<std::string> describe_caches(const std::filesystem::path& cpu) {
  std::vector<std::string> caches;
  for (int i = 0;; ++i) {
    const auto cache = cpu / "cache" / fmt::format("index{}", i);
    const std::string level = line_of(cache / "level");
    if (level.empty()) {
      return caches;
    }
    const std::string type = line_of(cache / "type");
    const char* const kind = type == "Data" ? "d" : type == "Instruction" ? "i" : "";
    caches.push_back(fmt::format("L{}{} {}, of CPUs {}", level, kind, line_of(cache / "size"),
                                 line_of(cache / "shared_cpu_list")));
  }
}

int count_numa_nodes(const std::filesystem::path& folder) {
  int nodes = 0;
  while (std::filesystem::exists(folder / fmt::format("node{}", nodes))) {
    ++nodes;
  }
  return nodes;
}

}  // namespace

Machine describe_machine(const std::filesystem::path& root) {
  Machine machine;
  machine.cpu_model = "unknown";
  const auto cpus = root / "sys/devices/system/cpu";
  std::set<std::string> cores;
  std::ifstream info(root / "proc/cpuinfo");
  // "processor	: 0", "model name	: ...", ... for each CPU
  for (std::string line; std::getline(info, line);) {
    const std::size_t colon = line.find(": ");
    if (colon == std::string::npos) {
      continue;
    }
    const std::string value = line.substr(colon + 2);
    if (line.starts_with("processor")) {
      ++machine.cpus;
      const std::string siblings =
          line_of(cpus / fmt::format("cpu{}/topology/thread_siblings_list", value));
      cores.insert(siblings.empty() ? value : siblings);
    } else if (line.starts_with("model name")) {
      machine.cpu_model = value;
    }
  }
  machine.cores = static_cast<int>(cores.size());
  machine.caches = describe_caches(cpus / "cpu0");
  machine.numa_nodes = count_numa_nodes(root / "sys/devices/system/node");
  machine.kernel = "Linux " + line_of(root / "proc/sys/kernel/osrelease");
  machine.isa = kernels::to_string(kernels::active_isa());
  machine.affinity = Topology::of(allowed_cpus(), root).numbers();
  machine.cgroup_cpus = cgroup_cpus(root);
  return machine;
}

}  // namespace quadgate::apps
