#include "engine/native/pack_stages.h"

#include <algorithm>
#include <utility>

#include "engine/base/stopwatch.h"

namespace quadgate::native {
namespace {

/// The same elements in order, in as few ranges as it takes.
std::vector<FlatRange> joined(std::vector<FlatRange> ranges) {
  std::ranges::sort(ranges, {}, &FlatRange::begin);
  std::vector<FlatRange> joined;
  for (const FlatRange& range : ranges) {
    if (!joined.empty() && joined.back().begin + joined.back().size == range.begin) {
      joined.back().size += range.size;
    } else {
      joined.push_back(range);
    }
  }
  return joined;
}

}  // namespace

void PackStages::end_stage(std::vector<PackTask> tasks) {
  const std::size_t first = tasks_.size();
  tasks_ = std::move(tasks);
  std::vector<FlatRange> reads;
  for (std::size_t i = first; i < tasks_.size(); ++i) {
    reads.insert(reads.end(), tasks_[i].parameters.begin(), tasks_[i].parameters.end());
  }
  reads = joined(std::move(reads));
  // The first stage reads the rows of an embedding, too, which have no task.
  if (stages_.empty()) reads.insert(reads.begin(), {0, reads.empty() ? 0 : reads.front().begin});
  stages_.emplace_back(first, tasks_.size(), std::move(reads));
}

std::vector<FlatRange> PackStages::awaited() const {
  std::vector<FlatRange> ranges;
  for (const Stage& stage : stages_) {
    ranges.insert(ranges.end(), stage.reads.begin(), stage.reads.end());
  }
  return ranges;
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

bool PackStages::is_there(std::int64_t number) const {
  const Stage& stage = stages_[static_cast<std::size_t>(number)];
  if (stage.left.load(std::memory_order_acquire) == 0 || !*arrival_) return true;
  return std::ranges::all_of(stage.reads,
                             [&](const FlatRange& range) { return (*arrival_)(range, false); });
}

void PackStages::finish(std::int64_t number, PhaseTimes& times) {
  Stage& stage = stages_[static_cast<std::size_t>(number)];
  if (stage.left.load(std::memory_order_acquire) == 0) return;
  if (*arrival_) {
    for (const FlatRange& range : stage.reads) (*arrival_)(range, true);
  }
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
