#include "engine/native/workers.h"

#include <algorithm>

#include "engine/base/ceil_div.h"
#include "engine/native/cell_kernels.h"

namespace quadgate::native {
namespace {

/// One core is through so many forward multiply-adds in a few tens of microseconds. No other core
/// would be of use before.
constexpr std::int64_t kSmall = 1'000'000;

}  // namespace

Workers::Workers(const RecurrentConfig& config, std::int64_t multiply_adds, std::int64_t team_size,
                 kernels::Isa isa, Arena& arena, const Slices& slices)
    : arena_(arena),
      small_(team_size == 0 && multiply_adds < kSmall),
      slices_(slices),
      team_size_(team_size),
      of_all_{
          .threads = arena.threads(),
          .threads_a_cache = arena.threads_a_cache(),
          .rows = 0,
          .gate_columns = cell_kernels(config.cell, kernels::Arithmetic::floats, isa).hh.count() *
                          config.hidden_size,
          .hidden_size = config.hidden_size,
          .most_members =
              ceil_div(config.hidden_size,
                       cell_kernels(config.cell, kernels::Arithmetic::floats, isa).width())},
      shares_(static_cast<std::size_t>(arena.threads())),
      equal_ends_(small_ ? 1 : static_cast<std::size_t>(arena.threads())),
      task_times_(static_cast<std::size_t>(arena.threads())) {
  for (int range = 0; range < arena.threads(); ++range) {
    teams_.emplace_back(arena.threads() / (range + 1));
  }
}

TeamPlan Workers::team_plan(std::int64_t rows) const noexcept {
  if (small_) return {1, 1};
  if (team_size_ > 0) return {std::min(of_all_.threads / team_size_, rows), team_size_};
  TeamWork work = of_all_;
  work.rows = rows;
  return plan_teams(work);
}

StepPlan Workers::plan(const PackedSteps& steps) const {
  const TeamPlan team = team_plan(steps.rows());
  StepPlan plan{.cores = cores(), .members = team.members};
  plan.member_share = static_cast<double>(ceil_div(of_all_.most_members, team.members)) /
                      static_cast<double>(of_all_.most_members);
  for (std::int64_t range = 0; range < team.ranges; ++range) {
    StepPlan::Range& its = plan.ranges.emplace_back();
    const std::int64_t first = steps.cut(range, team.ranges);
    const std::int64_t last = steps.cut(range + 1, team.ranges);
    its.rows = last - first;
    for (std::int64_t place = first; place < last; ++place) its.steps += steps.length(place);
  }
  return plan;
}

void Workers::add_times(std::int64_t count, const PhaseTimes& wall) noexcept {
  times_[Phase::waiting] += wall[Phase::waiting] * arena_.threads();
  for (std::int64_t i = 0; i < count; ++i) {
    auto& times = task_times_[static_cast<std::size_t>(i)];
    times_[Phase::waiting] -= times.total();
    times_ += times;
    times = {};
  }
}

}  // namespace quadgate::native
