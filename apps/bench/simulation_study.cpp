#include "apps/bench/simulation_study.h"

#include <algorithm>

#include "apps/bench/simulation_probe.h"
#include "apps/common/threads.h"
#include "engine/base/error.h"

namespace quadgate::apps {
namespace {

std::vector<int> asked_of(const ScalingArguments& arguments) {
  if (arguments.weak) {
    throw InvalidArgument("--simulate: expected --mode strong, found weak");
  }
  constexpr int kMostSimulated = 1024;
  return parse_counts("--simulate", *arguments.simulate, kMostSimulated);
}

}  // namespace

SimulationStudy::SimulationStudy(const ScalingArguments& arguments, std::span<const int> measured,
                                 int cpus)
    : arguments_(arguments),
      pinning_(arguments.pin ? Pinning::cores : Pinning::none),
      asked_(asked_of(arguments)) {
  std::vector<int> all(measured.begin(), measured.end());
  all.insert(all.end(), asked_.begin(), asked_.end());
  all.push_back(1);
  for (const int threads : all) {
    if (plans_.contains(threads)) continue;
    const StepPlan& plan = plans_[threads] = plan_step(arguments_.shape, threads);
    profiles_[largest_range(plan).rows];
  }
  for (int threads = 2; threads <= cpus; threads *= 2) meetings_[threads];
  if (cpus > 1) meetings_[cpus];
}

StepShape SimulationStudy::shape_of(std::int64_t rows) const {
  StepShape shape = arguments_.shape;
  shape.batch = rows;
  return shape;
}

void SimulationStudy::measure() {
  const double seconds = arguments_.seconds / static_cast<double>(profiles_.size());
  for (auto& [rows, samples] : profiles_) {
    samples.push_back(measure_profile(shape_of(rows), seconds, pinning_));
  }
  for (auto& [threads, samples] : meetings_) {
    samples.push_back(measure_meeting(threads, pinning_));
  }
}

SimulatedStep SimulationStudy::predict(int threads, const MeetingCosts& costs) const {
  const StepPlan& plan = plans_.at(threads);
  return simulate(plan, median_of(profiles_.at(arguments_.shape.batch)),
                  median_of(profiles_.at(largest_range(plan).rows)), costs);
}

SimulationReport SimulationStudy::conclude(std::span<const ScalingPoint> points) const {
  SimulationReport report;
  for (const auto& [threads, samples] : meetings_) report.meetings.push_back(median_of(samples));
  report.costs = fit(report.meetings);
  for (const ScalingPoint& point : points) {
    report.checks.push_back(
        {point.threads, predict(point.threads, report.costs), point.step_seconds});
  }
  const double one = predict(1, report.costs).step();
  for (const int threads : asked_) {
    const StepPlan& plan = plans_.at(threads);
    SimulationPrediction& prediction = report.predictions.emplace_back();
    prediction.threads = threads;
    prediction.ranges = std::ssize(plan.ranges);
    prediction.members = plan.members;
    prediction.step = predict(threads, report.costs);
    prediction.speed_up = one / prediction.step.step();
    prediction.efficiency = prediction.speed_up / threads;
  }
  return report;
}

}  // namespace quadgate::apps
