#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace quadgate::apps {

/// The machine of a measurement, as far as its speed depends on it.
struct Machine {
  std::string cpu_model;            ///< "unknown" if the system does not tell
  int cpus = 0;                     ///< online
  int cores = 0;                    ///< physical
  std::vector<std::string> caches;  ///< of the first CPU: "L2 1024K, shared by CPUs 0-1"
  int numa_nodes = 0;
  std::string kernel;              ///< "Linux 6.1.0"
  std::string isa;                 ///< instruction set in use: scalar, avx2, avx512, avx512_bf16
  std::vector<int> affinity;       ///< CPUs that the process may use, physical cores first
  std::optional<int> cgroup_cpus;  ///< see cgroup_cpus()
};

/// The machine whose proc/ and sys/ lie in `root`.
Machine describe_machine(const std::filesystem::path& root = "/");

}  // namespace quadgate::apps
