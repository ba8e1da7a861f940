#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/threads/arena.h"
#include "engine/threads/topology.h"

namespace quadgate::apps {

/// How many threads compute: as the --threads flag says, else the run file, else the environment's
/// SLURM_CPUS_PER_TASK, but no more than the physical cores that the affinity mask and the cgroup's
/// quota allow, else as many as these cores, or as `cores_of_rank` says for one rank of several. An
/// empty variable is none. Warns where more threads than CPUs were asked for. Throws
/// InvalidArgument unless the number is 1 to 1024.
int choose_threads(std::optional<int> flag, std::optional<std::int64_t> run_file = {},
                   std::optional<int> cores_of_rank = {});

/// Where so many threads may run for as long as a model trains or predicts, on a machine with these
/// CPUs and this quota: near what they have in memory, if they fill the cores. Fewer leave room for
/// other work, which would come to the same cores if it kept to its first ones, too.
Pinning choose_pinning(int threads, const Topology& topology, std::optional<int> quota);
/// On this machine. A host's threads are left alone.
Pinning choose_pinning(int threads);

/// Reads counts such as "1,2,4", and sorts them. Throws InvalidArgument, naming the flag, unless
/// they are different numbers from 1 to `most`.
std::vector<int> parse_counts(std::string_view flag, std::string_view list, int most);
/// Those of --threads, up to 1024.
std::vector<int> parse_thread_counts(std::string_view list);

/// How many cores' time the cgroup quota (v1 or v2) gives this process, rounded down, but one at
/// least: a thread more would stand still while the others wait for it. Empty without a quota.
/// `root` is the folder of proc/ and sys/.
std::optional<int> cgroup_cpus(const std::filesystem::path& root);

}  // namespace quadgate::apps
