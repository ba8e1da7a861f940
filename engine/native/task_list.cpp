#include "engine/native/task_list.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <tuple>
#include <utility>

#include "engine/base/stopwatch.h"

namespace quadgate::native {

void TaskList::add(GradientTask task) {
  const auto place =
      std::ranges::upper_bound(tasks_, task, [](const GradientTask& a, const GradientTask& b) {
        return std::tuple(-a.cost, a.layer, a.group) < std::tuple(-b.cost, b.layer, b.group);
      });
  first_square_.insert(first_square_.begin() + (place - tasks_.begin()), squares_.size());
  squares_.resize(squares_.size() + static_cast<std::size_t>(task.squares));
  tasks_.insert(place, std::move(task));
}

void TaskList::order_by_place() {
  by_place_.resize(tasks_.size());
  std::iota(by_place_.begin(), by_place_.end(), 0);
  std::ranges::sort(by_place_, {}, [&](std::size_t i) {
    const GradientTask& task = tasks_[i];
    return std::tuple(task.layer, task.writes.empty() ? 0 : task.writes.front().begin, i);
  });
}

void TaskList::share_out(const Workers& workers) {
  const std::int64_t cores = workers.cores();
  if (std::ssize(share_ends_) == cores && by_share_.size() == tasks_.size()) return;
  by_share_.clear();
  share_ends_.clear();
  for (std::int64_t core = 0; core < cores; ++core) {
    for (auto first = tasks_.begin(); first != tasks_.end();) {
      const auto last = std::ranges::find_if(
          first, tasks_.end(), [&](const GradientTask& task) { return task.cost != first->cost; });
      const std::int64_t begin = first - tasks_.begin();
      const std::int64_t equal = last - first;
      for (std::int64_t i = equal * core / cores; i < equal * (core + 1) / cores; ++i) {
        by_share_.push_back(static_cast<std::size_t>(begin + i));
      }
      first = last;
    }
    share_ends_.push_back(std::ssize(by_share_));
  }
}

StepPlan::Tasks TaskList::plan(const Workers& workers) {
  share_out(workers);
  StepPlan::Tasks plan{.tasks = {}, .ends = share_ends_};
  for (const std::size_t number : by_share_) {
    plan.tasks.push_back({tasks_[number].cost, tasks_[number].phase});
  }
  return plan;
}

double TaskList::run(Workers& workers, const Differentiated& pass) {
  share_out(workers);
  workers.in_shares(share_ends_, [&](std::int64_t place, PhaseTimes& times) {
    run_task(by_share_[static_cast<std::size_t>(place)], pass, times);
  });
  return sum_of_squares();
}

void TaskList::run_layer(Workers& workers, const Differentiated& pass, std::int64_t layer,
                         const GradientListener& listener) {
  if (by_place_.size() != tasks_.size()) order_by_place();
  const auto layer_of = [this](std::size_t i) { return tasks_[i].layer; };
  const std::span<const std::size_t> its_tasks(
      std::ranges::lower_bound(by_place_, layer, {}, layer_of),
      std::ranges::upper_bound(by_place_, layer, {}, layer_of));
  workers.in_turns(std::ssize(its_tasks), [&](std::int64_t index, PhaseTimes& times) {
    const std::size_t number = its_tasks[static_cast<std::size_t>(index)];
    run_task(number, pass, times);
    for (const FlatRange& range : tasks_[number].writes) listener(range);
  });
}

void TaskList::run_task(std::size_t number, const Differentiated& pass, PhaseTimes& times) {
  const Stopwatch stopwatch(times, tasks_[number].phase);
  tasks_[number].run(pass, squares_.data() + first_square_[number]);
}

double TaskList::sum_of_squares() const noexcept {
  return std::accumulate(squares_.begin(), squares_.end(), 0.0);
}

}  // namespace quadgate::native
