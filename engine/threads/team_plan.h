#pragma once

#include <cstdint>

namespace quadgate {

/// How the cores share the sequences of a batch: a team of `members` cores takes each of `ranges`.
struct TeamPlan {
  std::int64_t ranges = 1;
  std::int64_t members = 1;
};

/// What the plan depends on.
struct TeamWork {
  std::int64_t threads = 1;
  std::int64_t threads_a_cache = threads;  ///< see Arena
  std::int64_t rows = 1;                   ///< sequences
  std::int64_t gate_columns = 1;           ///< of h W_hh^T: 4 H for an LSTM
  std::int64_t hidden_size = 1;
  std::int64_t most_members = 1;  ///< each member needs a whole panel
};

/// The plan with the shortest step by a small model of its cycles. A step costs a core the larger
/// of two: its multiply-adds, rows * weights / 32 (two vectors of 16 a cycle; a tile is at least
/// half full from 3 rows on), and the way of its weights from the cache, 64 bytes a cycle from its
/// own, or 16 from a shared one if they have more than 512 KiB. A team also waits 1200 cycles for
/// its slowest member, and 300 for each turn at a counter (see Team::turns), or 1200 if some of its
/// members share no cache. The constants are round guesses, not measured. A plan never changes a
/// result.
TeamPlan plan_teams(const TeamWork& work) noexcept;

}  // namespace quadgate
