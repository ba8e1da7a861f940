#include "apps/common/threads.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "apps/common/cgroup.h"
#include "apps/common/host.h"
#include "apps/common/warn.h"
#include "engine/base/error.h"
#include "engine/threads/affinity.h"

namespace quadgate::apps {
namespace {

constexpr int kMostThreads = 1024;

std::optional<std::int64_t> parse_number(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return {};
  }
  return number;
}

std::string first_word(std::istream& file) {
  std::string word;
  file >> word;
  return word;
}

/// quota / period in whole cores; empty if there is no quota ("max" or -1).
std::optional<int> cores(const std::string& quota, const std::string& period) {
  const auto time = parse_number(quota);
  const auto every = parse_number(period);
  if (!time || !every || *time <= 0 || *every <= 0) {
    return {};
  }
  return static_cast<int>(std::clamp<std::int64_t>(*time / *every, 1, kMostThreads));
}

std::optional<int> quota_of(const std::filesystem::path& group) {
  if (std::ifstream v2(group / "cpu.max"); v2) {
    const std::string quota = first_word(v2);
    return cores(quota, first_word(v2));
  }
  std::ifstream quota(group / "cpu.cfs_quota_us");
  std::ifstream period(group / "cpu.cfs_period_us");
  return cores(first_word(quota), first_word(period));
}

/// The CPUs that affinity allows; all, each a core, if the system does not tell.
Topology allowed_topology() {
  std::vector<int> cpus = allowed_cpus();
  if (cpus.empty()) {
    cpus.resize(std::max(std::thread::hardware_concurrency(), 1U));
    std::iota(cpus.begin(), cpus.end(), 0);
  }
  return Topology::of(cpus);
}

std::string count_of_cpus(int cpus) { return cpus == 1 ? "1 CPU" : fmt::format("{} CPUs", cpus); }

}  // namespace

std::optional<int> cgroup_cpus(const std::filesystem::path& root) {
  std::optional<int> fewest;
  for_each_cgroup(root, "cpu", [&](const std::filesystem::path& group) {
    if (const auto quota = quota_of(group)) fewest = std::min(fewest.value_or(*quota), *quota);
  });
  return fewest;
}

int choose_threads(std::optional<int> flag, std::optional<std::int64_t> run_file,
                   std::optional<int> cores_of_rank) {
  const auto checked = [](const char* source, std::optional<std::int64_t> threads,
                          std::string_view found) {
    if (!threads || *threads < 1 || *threads > kMostThreads) {
      throw InvalidArgument(
          fmt::format("{}: expected 1 to {}, found '{}'", source, kMostThreads, found));
    }
    return static_cast<int>(*threads);
  };
  const Topology topology = allowed_topology();
  const int quota = cgroup_cpus("/").value_or(kMostThreads);
  const int cpus = std::min(static_cast<int>(topology.cpus().size()), quota);
  const int cores = std::min(topology.cores(), quota);
  if (flag || run_file) {
    const char* const source = flag ? "--threads" : "train.threads";
    const std::int64_t asked = flag ? *flag : *run_file;
    const int threads = checked(source, asked, std::to_string(asked));
    if (threads > cpus) {
      warn(fmt::format("{}: {} threads will share the {} that this process may use", source,
                       threads, count_of_cpus(cpus)));
    }
    return threads;
  }
  const char* const slurm = std::getenv("SLURM_CPUS_PER_TASK");
  if (slurm == nullptr || *slurm == '\0') return std::min(cores, cores_of_rank.value_or(cores));
  const int threads = checked("SLURM_CPUS_PER_TASK", parse_number(slurm), slurm);
  if (threads > cpus) {
    warn(fmt::format("SLURM_CPUS_PER_TASK is {}, affinity and quota allow {}: computing with {}",
                     threads, count_of_cpus(cpus), cores));
  }
  return std::min(threads, cores);
}

Pinning choose_pinning(int threads, const Topology& topology, std::optional<int> quota) {
  const bool fill =
      threads >= topology.cores() && std::cmp_less_equal(threads, topology.cpus().size());
  return fill && threads <= quota.value_or(threads) ? Pinning::caches : Pinning::none;
}

Pinning choose_pinning(int threads) {
  if (host() != nullptr) return Pinning::none;
  return choose_pinning(threads, Topology::of(allowed_cpus()), cgroup_cpus("/"));
}

std::vector<int> parse_counts(std::string_view flag, std::string_view list, int most) {
  std::vector<int> counts;
  bool good = true;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    const auto count = parse_number(list.substr(start, end - start));
    good = good && count && *count >= 1 && *count <= most;
    counts.push_back(good ? static_cast<int>(*count) : 0);
    start = end + 1;
  }
  std::sort(counts.begin(), counts.end());
  if (!good || std::adjacent_find(counts.begin(), counts.end()) != counts.end()) {
    throw InvalidArgument(fmt::format(
        "{}: expected different numbers from 1 to {} such as 1,2,4, found '{}'", flag, most, list));
  }
  return counts;
}

std::vector<int> parse_thread_counts(std::string_view list) {
  return parse_counts("--threads", list, kMostThreads);
}

}  // namespace quadgate::apps
