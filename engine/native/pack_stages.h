#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <utility>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/pack_task.h"
#include "engine/base/phase_times.h"

namespace quadgate::native {

/// The tasks that take over changed weights, in the order in which a pass needs them: one stage
/// after the other. A pass finishes a stage where it comes to it, so that weights of a later one
/// may still be on their way.
class PackStages {
 public:
  /// Ends a stage: `tasks` are those of all stages so far and of this one.
  void end_stage(std::vector<PackTask> tasks);

  /// The ranges for which the stages wait, one after the other.
  std::vector<FlatRange> awaited() const;
  /// All tasks.
  std::span<const PackTask> tasks() const noexcept { return tasks_; }
  /// The weights have changed. `arrival` stays until all stages are finished.
  void begin(const WeightArrival& arrival) noexcept;
  /// The tasks were run.
  void skip() noexcept;
  /// Whether the weights of stage `number` are there, or the stage is finished.
  bool is_there(std::int64_t number) const;
  /// Runs what is left of stage `number`, once its weights are there, with all cores that come to
  /// it. Throws what the arrival throws.
  void finish(std::int64_t number, PhaseTimes& times);

 private:
  struct Stage {
    std::size_t first;  // tasks [first, end)
    std::size_t end;
    std::vector<FlatRange> reads;       // its weights lie there
    std::atomic<std::size_t> next = 0;  // task
    std::atomic<std::size_t> left = 0;  // tasks that are not over
    Stage(std::size_t its_first, std::size_t its_end, std::vector<FlatRange> its_reads) noexcept
        : first(its_first), end(its_end), reads(std::move(its_reads)) {}
  };

  std::vector<PackTask> tasks_;
  std::deque<Stage> stages_;
  const WeightArrival* arrival_ = nullptr;
};

}  // namespace quadgate::native
