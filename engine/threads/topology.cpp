#include "engine/threads/topology.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace quadgate {
namespace {

std::optional<int> first_number(const std::filesystem::path& file) {
  std::ifstream stream(file);
  int number = 0;
  if (stream >> number) return number;
  return {};
}

/// The lowest CPU of those that share the last-level cache. Below the third level a cache is a
/// core's own, or that of a few.
int cache_of(const std::filesystem::path& cpu) {
  int found = 0;
  int highest = 2;
  for (int i = 0;; ++i) {
    const auto cache = cpu / "cache" / fmt::format("index{}", i);
    const auto level = first_number(cache / "level");
    if (!level) return found;
    const auto lowest = first_number(cache / "shared_cpu_list");
    if (*level <= highest || !lowest) continue;
    highest = *level;
    found = *lowest;
  }
}

/// The system has a link to the node in the folder of the CPU.
int node_of(const std::filesystem::path& cpu) {
  constexpr std::string_view kNode = "node";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(cpu, none)) {
    const std::string name = entry.path().filename();
    int number = 0;
    if (!name.starts_with(kNode)) continue;
    const char* const end = name.data() + name.size();
    if (std::from_chars(name.data() + kNode.size(), end, number).ptr == end) return number;
  }
  return 0;
}

bool share_cache(const Cpu& a, const Cpu& b) noexcept {
  return a.cache == b.cache && a.node == b.node;
}

}  // namespace

Topology::Topology(std::vector<Cpu> cpus) : cpus_(std::move(cpus)) {
  std::ranges::sort(cpus_, {}, &Cpu::number);
  std::map<int, int> seen_of_core;
  std::map<int, int> turns;  // of each CPU: how many of its core come before it
  for (const Cpu& cpu : cpus_) turns[cpu.number] = seen_of_core[cpu.core]++;
  std::ranges::stable_sort(cpus_, {}, [&](const Cpu& cpu) {
    return std::array{turns[cpu.number], cpu.node, cpu.cache};
  });
}

Topology Topology::of(std::span<const int> cpus, const std::filesystem::path& root) {
  std::vector<Cpu> found;
  for (const int number : cpus) {
    const auto folder = root / fmt::format("sys/devices/system/cpu/cpu{}", number);
    found.push_back(
        {.number = number,
         .core = first_number(folder / "topology/thread_siblings_list").value_or(number),
         .cache = cache_of(folder),
         .node = node_of(folder)});
  }
  return Topology(std::move(found));
}

std::vector<int> Topology::numbers() const {
  std::vector<int> numbers;
  for (const Cpu& cpu : cpus_) numbers.push_back(cpu.number);
  return numbers;
}

int Topology::cores() const {
  std::set<int> cores;
  for (const Cpu& cpu : cpus_) cores.insert(cpu.core);
  return static_cast<int>(cores.size());
}

std::vector<int> Topology::sharing_cache(std::size_t place) const {
  std::vector<int> sharing;
  for (const Cpu& cpu : cpus_) {
    if (share_cache(cpu, cpus_[place])) sharing.push_back(cpu.number);
  }
  return sharing;
}

std::int64_t Topology::threads_a_cache(std::int64_t threads) const {
  if (threads < 1 || threads > std::ssize(cpus_)) return threads;
  std::vector<std::int64_t> sizes;
  for (std::size_t i = 0; std::cmp_less(i, threads); ++i) {
    const bool goes_on = i > 0 && share_cache(cpus_[i - 1], cpus_[i]);
    goes_on ? ++sizes.back() : sizes.emplace_back(1);
  }
  const std::int64_t size = sizes.front();
  const bool fit =
      sizes.back() <= size && std::ranges::all_of(std::span(sizes).first(sizes.size() - 1),
                                                  [&](std::int64_t its) { return its == size; });
  return fit ? size : threads;
}

}  // namespace quadgate
