#include "engine/native/pack_stages.h"

#include <algorithm>
#include <utility>

#include "engine/base/stopwatch.h"

namespace quadgate::native {

void PackStages::end_stage(std::vector<PackTask> tasks) {
  const std::size_t first = tasks_.size();
  tasks_ = std::move(tasks);
  // The first stage reads the rows of an embedding, too, which have no task.
  std::size_t begin = stages_.empty() ? 0 : SIZE_MAX;
  std::size_t end = 0;
  for (std::size_t i = first; i < tasks_.size(); ++i) {
    for (const FlatRange& range : tasks_[i].parameters) {
      begin = std::min(begin, range.begin);
      end = std::max(end, range.begin + range.size);
    }
  }
  stages_.emplace_back(first, tasks_.size(), FlatRange{begin, end - begin});
}

void PackStages::begin(const WeightArrival& arrival) noexcept {
  arrival_ = &arrival;
  for (Stage& stage : stages_) {
    stage.next.store(stage.first, std::memory_order_relaxed);
    stage.left.store(stage.end - stage.first, std::memory_order_relaxed);
  }
}

void PackStages::skip() noexcept {
  for (Stage& stage : stages_) stage.left.store(0, std::memory_order_relaxed);
}

void PackStages::finish(std::int64_t number, PhaseTimes& times) {
  Stage& stage = stages_[static_cast<std::size_t>(number)];
  if (stage.left.load(std::memory_order_acquire) == 0) return;
  if (*arrival_) (*arrival_)(stage.reads);
  {
    const Stopwatch stopwatch(times, Phase::optimizer);
    for (std::size_t i = stage.next++; i < stage.end; i = stage.next++) {
      tasks_[i].run();
      if (--stage.left == 0) stage.left.notify_all();
    }
  }
  for (;;) {
    const std::size_t left = stage.left.load(std::memory_order_acquire);
    if (left == 0) return;
    stage.left.wait(left, std::memory_order_acquire);
  }
}

}  // namespace quadgate::native
