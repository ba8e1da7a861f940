#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace quadgate {

/// A processor of the system, and what it shares with others.
struct Cpu {
  int number = 0;
  int core = 0;   ///< physical: the lowest CPU that is part of it
  int cache = 0;  ///< the last level: the lowest CPU that uses it; 0 where the system tells of none
  int node = 0;   ///< of memory

  bool operator==(const Cpu&) const = default;
};

/// The CPUs that a process may use, in the order in which to use them: first one of each physical
/// core, then those that share a core with an earlier one; of these, one cache after the other, and
/// one node after the other.
class Topology {
 public:
  Topology() = default;
  explicit Topology(std::vector<Cpu> cpus);
  /// Of these CPUs. `root` is the folder of sys/.
  static Topology of(std::span<const int> cpus, const std::filesystem::path& root = "/");

  const std::vector<Cpu>& cpus() const noexcept { return cpus_; }
  std::vector<int> numbers() const;
  /// Physical ones.
  int cores() const;
  /// Those that share the last-level cache of the CPU at a place in the order, and its node.
  std::vector<int> sharing_cache(std::size_t place) const;
  /// How many of the first `threads` CPUs in the order share a cache, each so many after those
  /// before; the last ones may be fewer. `threads` if all share one, or if that differs.
  std::int64_t threads_a_cache(std::int64_t threads) const;

 private:
  std::vector<Cpu> cpus_;
};

}  // namespace quadgate
