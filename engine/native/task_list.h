#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/base/phase_times.h"
#include "engine/model/gradient.h"
#include "engine/native/done.h"
#include "engine/native/workers.h"

namespace quadgate::native {

/// A part of the weight gradients. One core computes it.
struct GradientTask {
  double cost = 0;         ///< multiply-adds for the largest batch
  std::int64_t group = 0;  ///< tasks of a group read the same rows, which stay in the cache
  std::int64_t layer = 0;  ///< the backward pass has come through this recurrent layer before
  Phase phase = Phase::weight_gradients;
  std::vector<FlatRange> writes{};  ///< parts of the gradient; other tasks may write there, too
  std::int64_t squares = 1;         ///< how many sums of squares it has
  /// Computes the part and sets the sums of the squares of its elements.
  std::function<void(const Differentiated& pass, double* squares)> run;
};

/// The tasks that the cores share between two joins. They are planned once, and none depends on
/// another. Each core has a share of the tasks of each cost, next to each other in the list, and
/// takes the largest first. Then it helps the others.
class TaskList {
 public:
  void add(GradientTask task);
  /// The largest first, equal ones by layer and group, and those of a group as they were added.
  std::span<const GradientTask> tasks() const noexcept { return tasks_; }

  /// Runs all tasks. Returns sum_of_squares().
  double run(Workers& workers, const Differentiated& pass);
  /// Runs those of a layer, in the order of what they write to. The listener hears of it.
  void run_layer(Workers& workers, const Differentiated& pass, std::int64_t layer,
                 const GradientListener& listener);
  /// What each core has to do.
  StepPlan::Tasks plan(const Workers& workers);
  /// Of all tasks, in the order in which they were added.
  double sum_of_squares() const noexcept;

 private:
  void order_by_place();
  void share_out(const Workers& workers);
  void run_task(std::size_t number, const Differentiated& pass, PhaseTimes& times);

  std::vector<GradientTask> tasks_;
  std::vector<std::size_t> by_share_;      // numbers of tasks, one core's after the other's
  std::vector<std::int64_t> share_ends_;   // of each core, in by_share_
  std::vector<std::size_t> by_place_;      // numbers of tasks, by layer and what they write to
  std::vector<std::size_t> first_square_;  // of each task
  std::vector<double> squares_;            // in the order in which tasks were added
};

}  // namespace quadgate::native
