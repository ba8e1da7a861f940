// Sweeps simulated steps on tasks whose makespans are known: by closed forms, and by all ways to
// give tasks to cores. Tolerance: a few roundings of doubles.

#include "apps/bench/simulation_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace quadgate::apps {
namespace {

constexpr double kSimulationRounding = 1e-12;

/// Ends of shares, as equal as they can be.
std::vector<std::int64_t> equal_shares(std::size_t tasks, std::int64_t cores) {
  std::vector<std::int64_t> ends;
  for (std::int64_t core = 1; core <= cores; ++core) {
    ends.push_back(static_cast<std::int64_t>(tasks) * core / cores);
  }
  return ends;
}

TEST(MakespanTest, EqualTasksTakeAsManyRoundsAsTheyFill) {
  for (const std::size_t tasks : std::vector<std::size_t>{0, 1, 2, 7, 12, 13, 64}) {
    for (const std::int64_t cores : {1, 2, 3, 5, 12, 100}) {
      const std::vector<double> seconds(tasks, 0.5);
      const double rounds = std::ceil(static_cast<double>(tasks) / static_cast<double>(cores));
      EXPECT_EQ(makespan(seconds, equal_shares(tasks, cores)), 0.5 * rounds);
    }
  }
}

TEST(MakespanTest, ALargeTaskBoundsIt) {
  std::vector<double> seconds(9, 1);
  seconds.front() = 100;
  EXPECT_EQ(makespan(seconds, equal_shares(9, 3)), 100);
  EXPECT_EQ(makespan(seconds, equal_shares(9, 1)), 108);
}

TEST(MakespanTest, CoresThatAreThroughHelp) {
  // All tasks are core 0's: then it is one queue.
  const std::vector<double> seconds = {3, 1, 1, 1};
  EXPECT_EQ(makespan(seconds, std::vector<std::int64_t>{4, 4}), 3);
  // Core 1 is through with its own, and takes the second one of core 0.
  EXPECT_EQ(makespan(std::vector<double>{2, 2, 1}, std::vector<std::int64_t>{2, 3}), 3);
}

/// The shortest time in which any way to give the tasks to the cores is through.
double best(std::span<const double> seconds, std::vector<double>& cores) {
  if (seconds.empty()) return std::ranges::max(cores);
  double least = std::numeric_limits<double>::infinity();
  for (double& core : cores) {
    core += seconds.front();
    least = std::min(least, best(seconds.subspan(1), cores));
    core -= seconds.front();
  }
  return least;
}

TEST(MakespanTest, IsWithinGrahamsBoundOfTheBestSchedule) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> length(1, 9);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> seconds(7);
    for (double& time : seconds) time = length(random);
    for (const std::int64_t cores : {2, 3}) {
      std::vector<double> loads(static_cast<std::size_t>(cores));
      const double least = best(seconds, loads);
      // No core rests while tasks are left, so it is a list schedule: Graham, 1966.
      const double found = makespan(seconds, equal_shares(seconds.size(), cores));
      EXPECT_GE(found, least);
      EXPECT_LE(found, least * (2 - 1 / static_cast<double>(cores)));
    }
  }
}

TEST(FitTest, FindsTheLine) {
  const std::vector<Meeting> exact = {{2, 3, 0.5}, {4, 9, 1.5}};
  EXPECT_NEAR(fit(exact).join, 3, kSimulationRounding);
  EXPECT_NEAR(fit(exact).wait, 0.5, kSimulationRounding);
  // x = 1, 3 and y = 1, 4: (1 + 12) / (1 + 9).
  EXPECT_NEAR(fit(std::vector<Meeting>{{2, 1, 0}, {4, 4, 0}}).join, 1.3, kSimulationRounding);
  EXPECT_EQ(fit({}).join, 0);
  // 63 others, but 18 turns at a counter.
  EXPECT_NEAR(fit(std::vector<Meeting>{{64, 63, 36}}).join, 1, kSimulationRounding);
  EXPECT_NEAR(fit(std::vector<Meeting>{{64, 63, 36}}).wait, 2, kSimulationRounding);
}

/// A plan that shares all evenly among the cores, in `tasks` tasks of each kind.
StepPlan even_plan(std::int64_t cores, std::int64_t tasks) {
  StepPlan plan{.cores = cores};
  for (std::int64_t range = 0; range < cores; ++range) plan.ranges.push_back({1, 960 / cores});
  const std::vector<double> costs(static_cast<std::size_t>(tasks),
                                  960 / static_cast<double>(tasks));
  StepPlan::Tasks& gradients = plan.gradients.emplace_back();
  for (const double cost : costs) gradients.tasks.push_back({cost, Phase::weight_gradients});
  gradients.ends = equal_shares(costs.size(), cores);
  plan.updates = costs;
  return plan;
}

StepProfile profile_of_one() {
  StepProfile profile{.plan = even_plan(1, 1)};
  profile.phases[Phase::input_product] = 10;
  profile.phases[Phase::recurrence_forward] = 20;
  profile.phases[Phase::recurrence_backward] = 15;
  profile.phases[Phase::head_and_loss] = 3;
  profile.phases[Phase::waiting] = 2;
  profile.phases[Phase::weight_gradients] = 30;
  profile.phases[Phase::optimizer] = 15;
  profile.serial = 5;
  return profile;
}

TEST(SimulateTest, OneCoreTakesWhatItTook) {
  const StepProfile one = profile_of_one();
  const SimulatedStep step = simulate(one.plan, one, one, {.join = 1, .wait = 1});
  EXPECT_NEAR(step.step(), 100, kSimulationRounding);
  EXPECT_EQ(step.sequences, 50);
  EXPECT_EQ(step.joins, 0);
}

TEST(SimulateTest, EvenWorkWithoutMeetingsIsAmdahlsLaw) {
  const StepProfile one = profile_of_one();
  for (const std::int64_t cores : {2, 4, 8, 60}) {
    const SimulatedStep step = simulate(even_plan(cores, 960), one, one, {});
    EXPECT_NEAR(step.step(), 5 + 95 / static_cast<double>(cores), kSimulationRounding);
  }
}

TEST(SimulateTest, MeetingsCostAsMuchAsThereAreOthers) {
  const StepProfile one = profile_of_one();
  StepPlan plan = even_plan(8, 960);
  const MeetingCosts costs{.join = 0.25, .wait = 0.01};
  EXPECT_NEAR(simulate(plan, one, one, costs).joins, 3 * 7 * 0.25, kSimulationRounding);
  EXPECT_EQ(simulate(plan, one, one, costs).team_waits, 0);
  plan.members = 4;
  plan.member_share = 0.3;
  plan.waits = 100;
  const SimulatedStep step = simulate(plan, one, one, costs);
  EXPECT_NEAR(step.team_waits, 100 * 3 * 0.01, kSimulationRounding);
  EXPECT_NEAR(step.sequences, 50.0 / 8 * 0.3, kSimulationRounding);
  plan.members = 64;
  EXPECT_NEAR(simulate(plan, one, one, costs).team_waits, 100 * 18 * 0.01, kSimulationRounding);
}

/// The same with a head that all cores share, whose tasks go back as well.
StepPlan plan_with_head(std::int64_t cores, std::int64_t tasks) {
  StepPlan plan = even_plan(cores, tasks);
  plan.head = {plan.gradients[0], plan.gradients[0]};
  for (StepPlan::Task& task : plan.head[0].tasks) task.phase = Phase::head_and_loss;
  return plan;
}

TEST(SimulateTest, AHeadThatAllCoresShareIsNotOfTheSequences) {
  StepProfile one = profile_of_one();
  one.plan = plan_with_head(1, 1);
  const SimulatedStep alone = simulate(one.plan, one, one, {.join = 1});
  EXPECT_NEAR(alone.step(), 100, kSimulationRounding);
  EXPECT_NEAR(alone.sequences, 47, kSimulationRounding);
  // Half of what is of the phase of the weight gradients is the head's.
  EXPECT_NEAR(alone.head, 3 + 15, kSimulationRounding);
  EXPECT_NEAR(alone.weight_gradients, 15, kSimulationRounding);
  const SimulatedStep many = simulate(plan_with_head(8, 960), one, one, {.join = 0.25});
  EXPECT_NEAR(many.step() - many.joins, 5 + 95.0 / 8, kSimulationRounding);
  // The sequences forward and back, two parts of the head, weight gradients, update.
  EXPECT_NEAR(many.joins, 6 * 7 * 0.25, kSimulationRounding);
  // Three cores have three of four tasks, and one of them the last.
  EXPECT_NEAR(simulate(plan_with_head(3, 4), one, one, {}).head, 18.0 / 2, kSimulationRounding);
}

TEST(SimulateTest, TheLargestRangeCountsAtItsOwnSpeed) {
  const StepProfile whole = profile_of_one();
  StepProfile few = profile_of_one();
  few.plan.ranges = {{2, 100}};  // half a second a step
  StepPlan plan = even_plan(2, 960);
  plan.ranges = {{2, 90}, {1, 120}};
  EXPECT_NEAR(simulate(plan, whole, few, {}).sequences, 60, kSimulationRounding);
  EXPECT_EQ(largest_range(plan).rows, 1);
}

}  // namespace
}  // namespace quadgate::apps
