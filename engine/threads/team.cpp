#include "engine/threads/team.h"

#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace quadgate {
namespace {

/// Waits until done() without giving up the core too early: what is waited for takes microseconds.
template <typename Done>
void spin_until(Done done) noexcept {
  constexpr int kSpins = 4000;
  for (int spin = 0; !done(); ++spin) {
    if (spin < kSpins) {
      _mm_pause();
    } else {
      sched_yield();
    }
  }
}

}  // namespace

Team::Team(std::int64_t most_members)
    : groups_(static_cast<std::size_t>(most_members > kGroup ? groups(most_members) : 0)) {}

void Team::open(std::int64_t size) noexcept {
  wanted_ = size;
  error_ = nullptr;
  fails_.store(false, std::memory_order_relaxed);
  has_failed_.store(false, std::memory_order_relaxed);
  all_.arrived.store(0, std::memory_order_relaxed);
  for (Meeting& group : groups_) group.arrived.store(0, std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  joined_.store(0, std::memory_order_release);
}

std::optional<Team::Member> Team::join(std::int64_t index) noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::microseconds(300);
  const std::int64_t before = joined_.fetch_add(1, std::memory_order_acq_rel);
  if (before >= kClosed) return std::nullopt;
  if (before == 0) {
    const auto latest = Clock::now() + kPatience;
    spin_until([&] {
      return joined_.load(std::memory_order_acquire) == wanted_ || Clock::now() > latest;
    });
    size_.store(joined_.fetch_add(kClosed, std::memory_order_acq_rel), std::memory_order_release);
  }
  spin_until([&] { return size_.load(std::memory_order_acquire) != 0; });
  const std::int64_t size = size_.load(std::memory_order_acquire);
  return Member(*this, size == wanted_ ? index : before, size);
}

void Team::wait(std::int64_t index, std::int64_t size) {
  if (size <= kGroup) return meet(all_, size, [] {});
  const std::int64_t group = index / kGroup;
  meet(groups_[static_cast<std::size_t>(group)], std::min(kGroup, size - group * kGroup),
       [&] { meet(all_, groups(size), [] {}); });
}

/// Returns once `size` of them have come and the last one's last() has.
template <typename Last>
void Team::meet(Meeting& meeting, std::int64_t size, Last last) {
  const std::int64_t round = meeting.round.load(std::memory_order_relaxed);
  if (meeting.arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
    meeting.arrived.store(0, std::memory_order_relaxed);
    last();
    meeting.round.store(round + 1, std::memory_order_release);
    return;
  }
  spin_until([&] {
    return meeting.round.load(std::memory_order_acquire) != round ||
           has_failed_.load(std::memory_order_acquire);
  });
  if (meeting.round.load(std::memory_order_acquire) == round) std::rethrow_exception(error_);
}

void Team::fail(std::exception_ptr error) noexcept {
  if (fails_.exchange(true, std::memory_order_relaxed)) return;
  error_ = std::move(error);  // until the team is opened again, when no one looks at it any more
  has_failed_.store(true, std::memory_order_release);
}

}  // namespace quadgate
