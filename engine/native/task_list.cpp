#include "engine/native/task_list.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "engine/base/stopwatch.h"

namespace quadgate::native {

void TaskList::add(GradientTask task) {
  const auto place =
      std::ranges::upper_bound(tasks_, task, [](const GradientTask& a, const GradientTask& b) {
        return a.cost != b.cost ? a.cost > b.cost : a.group < b.group;
      });
  first_square_.insert(first_square_.begin() + (place - tasks_.begin()), squares_.size());
  squares_.resize(squares_.size() + static_cast<std::size_t>(task.squares));
  tasks_.insert(place, std::move(task));
}

void TaskList::order_by_place() {
  by_place_.resize(tasks_.size());
  std::iota(by_place_.begin(), by_place_.end(), 0);
  std::ranges::sort(by_place_, {}, [&](std::size_t i) {
    return std::pair(tasks_[i].writes.empty() ? 0 : tasks_[i].writes.front().begin, i);
  });
}

double TaskList::run(Workers& workers, const Differentiated& pass,
                     const GradientListener* listener) {
  if (listener != nullptr && by_place_.size() != tasks_.size()) order_by_place();
  workers.in_turns(std::ssize(tasks_), [&](std::int64_t index, PhaseTimes& times) {
    const auto turn = static_cast<std::size_t>(index);
    const std::size_t i = listener == nullptr ? turn : by_place_[turn];
    const Stopwatch stopwatch(times, tasks_[i].phase);
    tasks_[i].run(pass, squares_.data() + first_square_[i]);
    if (listener == nullptr) return;
    for (const FlatRange& range : tasks_[i].writes) (*listener)(range);
  });
  return std::accumulate(squares_.begin(), squares_.end(), 0.0);
}

}  // namespace quadgate::native
