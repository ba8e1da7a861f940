#pragma once

#include <map>
#include <span>
#include <vector>

#include "apps/bench/scaling_run.h"
#include "apps/bench/scaling_series.h"
#include "apps/bench/simulation_report.h"
#include "engine/threads/arena.h"

namespace quadgate::apps {

/// Measures steps of one thread, and predicts those of many.
class SimulationStudy {
 public:
  /// Predicts the steps at --simulate and, to compare, at the `measured` numbers of threads.
  /// `cpus` is how many threads can meet. Throws InvalidArgument where --simulate is wrong, or asks
  /// for what cannot be predicted.
  SimulationStudy(const ScalingArguments& arguments, std::span<const int> measured, int cpus);

  /// One more repeat.
  void measure();
  /// `points` are summarized.
  SimulationReport conclude(std::span<const ScalingPoint> points) const;

 private:
  SimulatedStep predict(int threads, const MeetingCosts& costs) const;
  StepShape shape_of(std::int64_t rows) const;

  const ScalingArguments& arguments_;
  Pinning pinning_;
  std::vector<int> asked_;
  std::map<int, StepPlan> plans_;                              // by the number of threads
  std::map<std::int64_t, std::vector<StepProfile>> profiles_;  // by the number of sequences
  std::map<int, std::vector<Meeting>> meetings_;               // by the number of threads
};

}  // namespace quadgate::apps
