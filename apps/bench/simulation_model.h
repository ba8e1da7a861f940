#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/phase_times.h"
#include "engine/threads/step_plan.h"

namespace quadgate::apps {

/// A measured training step of one core, in seconds.
struct StepProfile {
  StepPlan plan{};      ///< of that core
  PhaseTimes phases{};  ///< of a step
  double serial = 0;    ///< what stands between the parts that cores can share
};

/// What so many cores take to meet, in seconds.
struct Meeting {
  int cores = 0;
  double join = 0;  ///< to begin and end a part of a step that they share
  double wait = 0;  ///< of a team's members for each other
};

/// Seconds for each time that a counter goes from core to core.
struct MeetingCosts {
  double join = 0;  ///< for each core but one
  double wait = 0;  ///< for each of Team::turns
};

/// By least squares, join = cost (cores - 1) and wait = cost turns(cores). Without measurements,
/// which one core has none of, 0.
MeetingCosts fit(std::span<const Meeting> measured);

/// What a step of many cores is made of, in seconds.
struct SimulatedStep {
  double serial = 0;
  double sequences = 0;  ///< forward and back of the largest range, by its busiest core
  double team_waits = 0;
  double head = 0;  ///< that all cores share; else it is part of the sequences
  double weight_gradients = 0;
  double update = 0;
  double joins = 0;

  double step() const noexcept {
    return serial + sequences + team_waits + head + weight_gradients + update + joins;
  }
};

/// When the last core is through, if each takes tasks as Shares hands them out: share k ends at
/// ends[k] of the tasks, and each task takes so long.
double makespan(std::span<const double> seconds, std::span<const std::int64_t> ends);

/// The step that `plan` makes of the costs of `whole`, a step of the same batch. `range` is a step
/// of as many sequences as the plan's largest range has, since a core is slower where these are
/// few. Memory and caches that cores share are not modelled: each core computes as one alone does.
SimulatedStep simulate(const StepPlan& plan, const StepProfile& whole, const StepProfile& range,
                       const MeetingCosts& costs);

/// The range with most steps.
StepPlan::Range largest_range(const StepPlan& plan);

}  // namespace quadgate::apps
