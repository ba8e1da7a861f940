#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/phase_times.h"

namespace quadgate {

/// How the cores of an arena share a training step: sequences, then weight gradients, then the
/// update of the weights, with a join after each. A head of many classes stands between the
/// sequences' way forward and their way back, with joins of its own.
struct StepPlan {
  std::int64_t cores = 1;    ///< that take part: one where steps are small
  std::int64_t members = 1;  ///< of the team that takes each range of sequences
  double member_share = 1;   ///< of a range's work: that of the member with most
  std::int64_t waits = 0;    ///< of a member of a team for the others, but for a few a layer
  struct Range {
    std::int64_t rows = 0;   ///< sequences
    std::int64_t steps = 0;  ///< of all of them
  };
  std::vector<Range> ranges{};
  struct Task {
    double cost = 0;  ///< multiply-adds, or as many as would take so long
    Phase phase = Phase::weight_gradients;
  };
  /// Tasks between two joins.
  struct Tasks {
    std::vector<Task> tasks;         ///< one core's share after the other's
    std::vector<std::int64_t> ends;  ///< of each core's share
  };
  std::vector<Tasks> head{};  ///< none: the head goes with the sequences
  std::vector<Tasks> gradients{};
  /// Weights that each task updates and packs. A core takes the next one when it is through.
  std::vector<double> updates{};
};

}  // namespace quadgate
