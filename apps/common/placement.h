#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/launch.h"

namespace quadgate::apps {

/// The processors of this node, and what of it the affinity mask leaves to this process.
struct NodeCores {
  int cpus = 1;
  int cores = 1;          ///< physical
  int allowed_cores = 1;  ///< physical ones with a CPU that this process may run on
};

/// Those of the machine whose proc/ and sys/ lie in `root`.
NodeCores node_cores(const std::filesystem::path& root = "/");

/// The physical cores that one of several ranks may use, and the machine that has them.
struct RankCores {
  std::string machine;
  std::set<std::string> cores;
  std::optional<int> quota{};  ///< the cores' time that the cgroup gives all ranks of the machine

  bool operator==(const RankCores&) const = default;
};

/// Those of this process, on the machine whose proc/ and sys/ lie in `root`.
RankCores rank_cores(const std::filesystem::path& root = "/");

/// As one line, for other ranks, and back.
std::string to_text(const RankCores& cores);
RankCores parse_rank_cores(std::string_view text);

/// Whether each of these ranks can have a core for each of its threads that no other one needs.
bool have_cores(std::span<const RankCores> ranks, int threads);

/// A rank's part of the physical cores that the job has of its node: how many threads do not take
/// those of another rank.
int cores_of_rank(const Launch& launch, const NodeCores& node);

/// What is slow in how the ranks of this node were placed, and which option helps: a line each.
std::vector<std::string> placement_warnings(const Launch& launch, const NodeCores& node,
                                            int threads);

}  // namespace quadgate::apps
