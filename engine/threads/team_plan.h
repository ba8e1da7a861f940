#pragma once

#include <cstdint>

namespace quadgate {

/// How the cores share the sequences of a batch: `ranges` of them, each taken by a team of
/// `members` cores.
struct TeamPlan {
  std::int64_t ranges = 1;
  std::int64_t members = 1;
};

/// What decides it.
struct TeamWork {
  std::int64_t threads = 1;
  std::int64_t rows = 1;          ///< sequences
  std::int64_t gate_columns = 1;  ///< of h W_hh^T: 4 H for an LSTM
  std::int64_t hidden_size = 1;
  std::int64_t most_members = 1;  ///< as many as have whole panels to share
};

/// The plan with the shortest step by a small model of its cost in cycles: a core takes
/// rows * weights / 32 for its multiply-adds (two vectors of 16 a cycle; a tile is at least half
/// full from 3 rows on), or as long as its share of the weights takes to arrive from the caches,
/// 64 bytes a cycle from its own and 16 from a shared one if it is larger than 512 KiB, whichever
/// is more; and a team of two or more waits 1500 cycles a step for its slowest member. The
/// constants are round guesses, not measured; a plan never changes a result.
TeamPlan plan_teams(const TeamWork& work) noexcept;

}  // namespace quadgate
