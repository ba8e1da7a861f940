#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace quadgate::apps {

/// Threads to compute with: the --threads flag, else the run file's number, else the environment's
/// SLURM_CPUS_PER_TASK, else the cores that the affinity mask and the cgroup's quota allow. Throws
/// InvalidArgument unless the chosen number is 1 to 1024.
int choose_threads(std::optional<int> flag, std::optional<std::int64_t> run_file = {});

/// The thread counts of a list such as "1,2,4", from the fewest to the most. Throws InvalidArgument
/// unless they are different numbers from 1 to 1024.
std::vector<int> parse_thread_counts(std::string_view list);

/// Cores worth of time that the cgroup quota of this process gives, rounded up, v1 or v2; empty if
/// there is no quota. `root` is the folder that holds proc/ and sys/.
std::optional<int> cgroup_cpus(const std::filesystem::path& root);

}  // namespace quadgate::apps
