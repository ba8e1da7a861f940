#include "engine/threads/team_plan.h"

#include <algorithm>

#include "engine/base/ceil_div.h"

namespace quadgate {
namespace {

double step_cycles(const TeamWork& work, const TeamPlan& plan) noexcept {
  constexpr double kMultiplyAddsACycle = 32;
  constexpr double kOwnCacheBytes = 512 * 1024;
  constexpr double kOwnBytesACycle = 64;
  constexpr double kSharedBytesACycle = 16;
  constexpr double kWaitCycles = 1500;
  const double weights =
      static_cast<double>(work.gate_columns * work.hidden_size) / static_cast<double>(plan.members);
  const auto rows = static_cast<double>(ceil_div(work.rows, plan.ranges));
  const double bytes = weights * sizeof(float);
  const double rate = bytes > kOwnCacheBytes ? kSharedBytesACycle : kOwnBytesACycle;
  const double products = std::max(rows * weights / kMultiplyAddsACycle, bytes / rate);
  return products + (plan.members > 1 ? kWaitCycles : 0);
}

}  // namespace

TeamPlan plan_teams(const TeamWork& work) noexcept {
  TeamPlan best{1, 1};
  double least = step_cycles(work, best);
  for (std::int64_t ranges = 1; ranges <= std::min(work.threads, work.rows); ++ranges) {
    const TeamPlan plan{ranges, std::min(work.threads / ranges, work.most_members)};
    const double cycles = step_cycles(work, plan);
    // Fewer members where it is equal: more ranges come later.
    if (cycles <= least) {
      best = plan;
      least = cycles;
    }
  }
  return best;
}

}  // namespace quadgate
