#pragma once

#include <filesystem>
#include <string>
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

/// A rank's part of the CPUs that the job has of its node: how many threads do not take those of
/// another rank.
int cpus_of_rank(const Launch& launch, const NodeCores& node);

/// What is slow in how the ranks of this node were placed, and which option helps: a line each.
std::vector<std::string> placement_warnings(const Launch& launch, const NodeCores& node,
                                            int threads);

}  // namespace quadgate::apps
