#pragma once

#include <span>
#include <vector>

#include "engine/cluster/communicator.h"

namespace quadgate::apps {

/// The numbers of every rank, as many of each. Collective.
inline std::vector<std::vector<double>> gather_values(cluster::Communicator& ranks,
                                                      std::span<const double> mine) {
  std::vector<double> all(mine.size() * static_cast<std::size_t>(ranks.world_size()));
  ranks.all_gather(std::as_bytes(mine), std::as_writable_bytes(std::span(all)));
  std::vector<std::vector<double>> by_rank;
  for (std::size_t begin = 0; begin < all.size(); begin += mine.size()) {
    const std::span<const double> part = std::span(all).subspan(begin, mine.size());
    by_rank.emplace_back(part.begin(), part.end());
  }
  return by_rank;
}

/// That of every rank. Collective.
inline std::vector<double> gather_value(cluster::Communicator& ranks, double mine) {
  std::vector<double> all(static_cast<std::size_t>(ranks.world_size()));
  ranks.all_gather(std::as_bytes(std::span(&mine, 1)), std::as_writable_bytes(std::span(all)));
  return all;
}

/// Waits until all ranks are here. Collective.
inline void meet(cluster::Communicator& ranks) { gather_value(ranks, 0); }

}  // namespace quadgate::apps
