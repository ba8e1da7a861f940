#include "engine/threads/team_plan.h"

#include <algorithm>

#include "engine/base/ceil_div.h"
#include "engine/threads/team.h"

namespace quadgate {
namespace {

/// Whether the members of each team share a cache, of threads that come one after the other.
bool share_caches(const TeamWork& work, const TeamPlan& plan) noexcept {
  return plan.ranges * plan.members <= work.threads_a_cache ||
         work.threads_a_cache % plan.members == 0;
}

double wait_cycles(const TeamWork& work, const TeamPlan& plan) noexcept {
  constexpr double kSlowestMember = 1200;
  constexpr double kTurn = 300;
  constexpr double kFarTurn = 1200;
  if (plan.members == 1) return 0;
  const auto turns = static_cast<double>(Team::turns(plan.members));
  return kSlowestMember + turns * (share_caches(work, plan) ? kTurn : kFarTurn);
}

double step_cycles(const TeamWork& work, const TeamPlan& plan) noexcept {
  constexpr double kMultiplyAddsACycle = 32;
  constexpr double kOwnCacheBytes = 512 * 1024;
  constexpr double kOwnBytesACycle = 64;
  constexpr double kSharedBytesACycle = 16;
  const double weights =
      static_cast<double>(work.gate_columns * work.hidden_size) / static_cast<double>(plan.members);
  const auto rows = static_cast<double>(ceil_div(work.rows, plan.ranges));
  const double bytes = weights * sizeof(float);
  const double rate = bytes > kOwnCacheBytes ? kSharedBytesACycle : kOwnBytesACycle;
  return std::max(rows * weights / kMultiplyAddsACycle, bytes / rate) + wait_cycles(work, plan);
}

/// As many of a plan's members as share a cache.
std::int64_t within_caches(const TeamWork& work, const TeamPlan& plan) noexcept {
  std::int64_t members = plan.members;
  while (!share_caches(work, {plan.ranges, members})) --members;
  return members;
}

}  // namespace

TeamPlan plan_teams(const TeamWork& work) noexcept {
  TeamPlan best{1, 1};
  double least = step_cycles(work, best);
  for (std::int64_t ranges = 1; ranges <= std::min(work.threads, work.rows); ++ranges) {
    const std::int64_t most = std::min(work.threads / ranges, work.most_members);
    for (const std::int64_t members : {most, within_caches(work, {ranges, most})}) {
      const TeamPlan plan{ranges, members};
      const double cycles = step_cycles(work, plan);
      // Fewer members where it is equal: more ranges come later.
      if (cycles <= least) {
        best = plan;
        least = cycles;
      }
    }
  }
  return best;
}

}  // namespace quadgate
