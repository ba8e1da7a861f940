#include "apps/common/memory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string>
#include <string_view>

#include "apps/common/cgroup.h"

namespace quadgate::apps {
namespace {

/// The first number of a file, unless it has none ("max", say).
std::optional<std::int64_t> number_in(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::int64_t number = 0;
  stream >> number;
  return stream ? std::optional(number) : std::nullopt;
}

/// The number behind a name at the begin of a line of a file.
std::optional<std::int64_t> entry_of(const std::filesystem::path& file, std::string_view name) {
  std::ifstream stream(file);
  for (std::string word; stream >> word; std::getline(stream, word)) {
    std::int64_t number = 0;
    if (word == name && stream >> number) return number;
    stream.clear();
  }
  return {};
}

/// Names of the same in version 2 and 1 of control groups.
struct Names {
  const char* limit;
  const char* used;
  const char* files[2];  // entries of memory.stat
};

std::optional<std::int64_t> room_in(const std::filesystem::path& group) {
  constexpr std::array kVersions{
      Names{"memory.max", "memory.current", {"inactive_file", "active_file"}},
      Names{"memory.limit_in_bytes",
            "memory.usage_in_bytes",
            {"total_inactive_file", "total_active_file"}}};
  for (const Names& names : kVersions) {
    const auto limit = number_in(group / names.limit);
    const auto used = number_in(group / names.used);
    if (!limit || !used) continue;
    std::int64_t room = *limit - *used;
    for (const char* files : names.files)
      room += entry_of(group / "memory.stat", files).value_or(0);
    return std::max<std::int64_t>(room, 0);
  }
  return {};
}

/// What the machine and all control groups can give.
std::optional<double> free_bytes(const std::filesystem::path& root) {
  constexpr std::int64_t kKiB = 1024;
  const auto info = root / "proc/meminfo";
  std::optional<std::int64_t> least = entry_of(info, "MemAvailable:");
  if (!least) return {};
  *least *= kKiB;
  for_each_cgroup(root, "memory", [&](const std::filesystem::path& group) {
    if (const auto room = room_in(group)) least = std::min(*least, *room);
  });
  return static_cast<double>(*least + kKiB * entry_of(info, "SwapFree:").value_or(0));
}

/// What this process has.
double resident_bytes(const std::filesystem::path& root) {
  std::ifstream pages(root / "proc/self/statm");
  double all = 0;
  double resident = 0;
  pages >> all >> resident;
  return pages ? resident * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

Memory memory_now(const std::filesystem::path& root) {
  Memory memory{.taken = resident_bytes(root), .available = free_bytes(root)};
  if (memory.available) *memory.available += memory.taken;
  return memory;
}

}  // namespace quadgate::apps
