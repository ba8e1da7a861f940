#include "apps/bench/simulation_model.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

#include "engine/threads/shares.h"
#include "engine/threads/team.h"

namespace quadgate::apps {
namespace {

double sum(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

double over(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// Seconds for each unit of the tasks' costs.
PhaseTimes seconds_of_costs(const StepProfile& whole) {
  PhaseTimes costs;
  for (const auto* parts : {&whole.plan.head, &whole.plan.gradients}) {
    for (const StepPlan::Tasks& part : *parts) {
      for (const StepPlan::Task& task : part.tasks) costs[task.phase] += task.cost;
    }
  }
  PhaseTimes seconds;
  for (std::size_t i = 0; i < kPhases; ++i) {
    seconds.core_seconds[i] = over(whole.phases.core_seconds[i], costs.core_seconds[i]);
  }
  return seconds;
}

/// The makespan of parts of a step, one after the other.
double makespan_of(std::span<const StepPlan::Tasks> parts, const PhaseTimes& seconds) {
  double all = 0;
  for (const StepPlan::Tasks& part : parts) {
    std::vector<double> times;
    for (const StepPlan::Task& task : part.tasks) times.push_back(task.cost * seconds[task.phase]);
    all += makespan(times, part.ends);
  }
  return all;
}

}  // namespace

MeetingCosts fit(std::span<const Meeting> measured) {
  MeetingCosts costs;
  double squares_of_others = 0;
  double squares_of_turns = 0;
  for (const Meeting& meeting : measured) {
    const double others = meeting.cores - 1;
    const auto turns = static_cast<double>(Team::turns(meeting.cores));
    squares_of_others += others * others;
    squares_of_turns += turns * turns;
    costs.join += others * meeting.join;
    costs.wait += turns * meeting.wait;
  }
  return {over(costs.join, squares_of_others), over(costs.wait, squares_of_turns)};
}

double makespan(std::span<const double> seconds, std::span<const std::int64_t> ends) {
  Shares shares(ends.size());
  shares.open(ends);
  std::vector<Shares::Core> cores;
  using Event = std::pair<double, std::size_t>;  // when a core is through with its task
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  for (std::size_t core = 0; core < ends.size(); ++core) {
    cores.emplace_back(shares, static_cast<std::int64_t>(core));
    events.emplace(0, core);
  }
  double last = 0;
  while (!events.empty()) {
    const auto [now, core] = events.top();
    events.pop();
    last = std::max(last, now);
    if (const auto task = cores[core].next()) {
      events.emplace(now + seconds[static_cast<std::size_t>(*task)], core);
    }
  }
  return last;
}

StepPlan::Range largest_range(const StepPlan& plan) {
  return *std::ranges::max_element(plan.ranges, {}, &StepPlan::Range::steps);
}

SimulatedStep simulate(const StepPlan& plan, const StepProfile& whole, const StepProfile& range,
                       const MeetingCosts& costs) {
  SimulatedStep step;
  step.serial = whole.serial;

  // With one thread no one waits: that is work on the sequences which no phase counts.
  double sequences = 0;
  for (const Phase phase : {Phase::input_product, Phase::recurrence_forward,
                            Phase::recurrence_backward, Phase::waiting}) {
    sequences += range.phases[phase];
  }
  if (plan.head.empty()) sequences += range.phases[Phase::head_and_loss];
  const auto steps = [](const StepPlan& of) {
    return static_cast<double>(largest_range(of).steps);
  };
  step.sequences = sequences * steps(plan) / steps(range.plan) * plan.member_share;

  const PhaseTimes seconds = seconds_of_costs(whole);
  step.head = makespan_of(plan.head, seconds);
  step.weight_gradients = makespan_of(plan.gradients, seconds);

  const double weight = over(whole.phases[Phase::optimizer], sum(whole.plan.updates));
  const std::vector<std::int64_t> all(static_cast<std::size_t>(plan.cores),
                                      std::ssize(plan.updates));
  std::vector<double> updates = plan.updates;
  for (double& update : updates) update *= weight;
  step.update = makespan(updates, all);

  if (plan.members > 1) {
    step.team_waits = costs.wait * static_cast<double>(plan.waits * Team::turns(plan.members));
  }
  const std::size_t ways = plan.head.empty() ? 1 : 2;  // of the sequences
  const auto joins = static_cast<double>(ways + plan.head.size() + plan.gradients.size() + 1);
  step.joins = costs.join * joins * static_cast<double>(plan.cores - 1);
  return step;
}

}  // namespace quadgate::apps
