#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "engine/base/phase_times.h"
#include "engine/base/stopwatch.h"
#include "engine/model/config.h"
#include "engine/native/done.h"
#include "engine/native/pass.h"
#include "engine/native/slices.h"
#include "engine/native/work_range.h"
#include "engine/threads/arena.h"
#include "engine/threads/shares.h"
#include "engine/threads/step_plan.h"
#include "engine/threads/team.h"
#include "engine/threads/team_plan.h"
#include "kernels/base/isa.h"

namespace quadgate::native {

/// The cores of an arena at the work of the native backend. It says who takes which sequences of a
/// batch, alone or as a team, and how long each phase took.
class Workers {
 public:
  /// For a recurrent stack and `multiply_adds` for a forward pass over the largest batch.
  /// `team_size` as in NetworkOptions. `arena` must outlive the workers.
  Workers(const RecurrentConfig& config, std::int64_t multiply_adds, std::int64_t team_size,
          kernels::Isa isa, Arena& arena, const Slices& slices = {});

  /// How many cores share the work. It is one if the steps are small.
  int cores() const noexcept { return small_ ? 1 : arena_.threads(); }
  PhaseTimes& times() noexcept { return times_; }
  const Slices& slices() const noexcept { return slices_; }
  /// With slices: calls body(pass) after each round of a backward pass but the last one.
  void after_each_round(std::function<void(const Differentiated& pass)> body) {
    after_round_ = std::move(body);
  }
  /// Slices that are on their way at once.
  std::int64_t slots() const noexcept {
    return slices_.one_by_one ? std::min<std::int64_t>(slices_.count(), cores()) : slices_.count();
  }
  /// Who takes which of the sequences. The rest of the plan is empty.
  StepPlan plan(const PackedSteps& steps) const;

  /// Calls body(index) for each index on the cores, or here if the steps are small.
  template <typename Body>
  void share(std::int64_t count, Body body) {
    small_ ? arena_.for_each_here(count, body) : arena_.for_each(count, body);
  }

  /// Calls body(index, times) for each index, one a core. Time that no body counts is waiting.
  template <typename Body>
  void for_each(std::int64_t count, Body body) {
    PhaseTimes wall;
    {
      const Stopwatch stopwatch(wall, Phase::waiting);
      share(count,
            [&](std::int64_t index) { body(index, task_times_[static_cast<std::size_t>(index)]); });
    }
    add_times(count, wall);
  }

  /// The same for any number of indices. Each core takes the next one when it is through with its
  /// last.
  template <typename Body>
  void in_turns(std::int64_t count, Body body) {
    if (count == 0) return;
    std::atomic<std::int64_t> next = 0;
    for_each(std::min<std::int64_t>(cores(), count), [&](std::int64_t, PhaseTimes& times) {
      for (std::int64_t i = next++; i < count; i = next++) body(i, times);
    });
  }

  /// The same for indices that are cut into a share a core, which end at `ends` (see Shares).
  template <typename Body>
  void in_shares(std::span<const std::int64_t> ends, Body body) {
    if (ends.empty() || ends.back() == 0) return;
    shares_.open(ends);
    for_each(std::ssize(ends), [&](std::int64_t number, PhaseTimes& times) {
      Shares::Core core(shares_, number);
      while (const auto i = core.next()) body(*i, times);
    });
  }

  /// Calls body(kind, index, times) for the indices of some kinds, of each kind so many. A core
  /// begins with an equal share of each kind, one after the other; calls that work on the same rows
  /// find them in its caches.
  template <std::size_t kKinds, typename Body>
  void in_equal_shares(const std::array<std::int64_t, kKinds>& counts, Body body) {
    const auto task_of = cut_equally(counts);
    in_shares(equal_ends_, [&](std::int64_t number, PhaseTimes& times) {
      const auto [kind, index] = task_of(number);
      body(kind, index, times);
    });
  }

  /// What each core has to do then, if task(kind, index) is what a call does.
  template <std::size_t kKinds, typename Task>
  StepPlan::Tasks plan_equal_shares(const std::array<std::int64_t, kKinds>& counts, Task task) {
    const auto task_of = cut_equally(counts);
    StepPlan::Tasks plan{.tasks = {}, .ends = equal_ends_};
    for (std::int64_t number = 0; number < equal_ends_.back(); ++number) {
      const auto [kind, index] = task_of(number);
      plan.tasks.push_back(task(kind, index));
    }
    return plan;
  }

  /// Calls body(work) for each range of the sequences, or for each slice. The body returns a Done
  /// or a struct of several; then all ranges have it.
  template <typename Body>
  Everywhere<std::invoke_result_t<Body&, const WorkRange&>> for_each_range(const Pass& pass,
                                                                           Body body) {
    slices_.rows > 0 ? slice_by_slice(pass, body) : range_by_range(pass, body);
    return Everywhere<std::invoke_result_t<Body&, const WorkRange&>>(pass);
  }

 private:
  /// Sets equal_ends_, and returns a function that tells kind and index of a number in them.
  template <std::size_t kKinds>
  auto cut_equally(const std::array<std::int64_t, kKinds>& counts) {
    const auto cut = [&counts, shares = std::ssize(equal_ends_)](std::size_t kind,
                                                                 std::int64_t share) {
      return counts[kind] * share / shares;
    };
    for (std::int64_t share = 0; share < std::ssize(equal_ends_); ++share) {
      std::int64_t& end = equal_ends_[static_cast<std::size_t>(share)];
      end = 0;
      for (std::size_t kind = 0; kind < kKinds; ++kind) end += cut(kind, share + 1);
    }
    return [this, cut](std::int64_t number) {
      const auto end = std::ranges::upper_bound(equal_ends_, number);
      const auto share = end - equal_ends_.begin();
      std::int64_t index = share == 0 ? number : number - end[-1];
      std::size_t kind = 0;
      for (std::int64_t size = 0; (size = cut(kind, share + 1) - cut(kind, share)) <= index;) {
        index -= size;
        ++kind;
      }
      return std::pair(kind, cut(kind, share) + index);
    };
  }

  template <typename Body>
  void range_by_range(const Pass& pass, Body& body) {
    const PackedSteps& steps = pass.steps;
    const TeamPlan plan = team_plan(steps.rows());
    for (std::int64_t range = 0; range < plan.ranges; ++range) {
      teams_[static_cast<std::size_t>(range)].open(plan.members);
    }
    for_each(plan.ranges * plan.members, [&](std::int64_t index, PhaseTimes& times) {
      const std::int64_t range = index / plan.members;
      const std::int64_t first = steps.cut(range, plan.ranges);
      const std::int64_t last = steps.cut(range + 1, plan.ranges);
      if (first == last) return;
      const auto work = [&](const Team::Member& member) {
        static_cast<void>(body(WorkRange{pass, first, last, member, times}));
      };
      plan.members == 1 ? work({})
                        : teams_[static_cast<std::size_t>(range)].run(index % plan.members, work);
    });
  }

  /// In rounds of a slice a slot.
  template <typename Body>
  void slice_by_slice(const Pass& pass, Body& body) {
    const std::int64_t slices = pass.steps.slices();
    for (std::int64_t first = 0; first < slices; first += slots()) {
      if (first > 0 && pass.gradient_scale)
        after_round_(Everywhere<Done<Stack, Step::backward>>(pass));
      in_turns(std::min(slots(), slices - first), [&](std::int64_t slot, PhaseTimes& times) {
        const Team::Member alone;
        const std::int64_t slice = first + slot;
        static_cast<void>(body(WorkRange{pass, pass.steps.first_of(slice),
                                         pass.steps.first_of(slice + 1), alone, times, slot}));
      });
    }
  }

  TeamPlan team_plan(std::int64_t rows) const noexcept;
  void add_times(std::int64_t count, const PhaseTimes& wall) noexcept;

  Arena& arena_;
  bool small_;
  Slices slices_;
  std::function<void(const Differentiated& pass)> after_round_;
  std::int64_t team_size_;
  TeamWork of_all_;         // all but the rows
  std::deque<Team> teams_;  // of each range of sequences
  Shares shares_;
  std::vector<std::int64_t> equal_ends_;  // of equal shares, one for each of the cores
  std::vector<PhaseTimes> task_times_;
  PhaseTimes times_;
};

}  // namespace quadgate::native
