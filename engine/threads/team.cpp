#include "engine/threads/team.h"

#include <immintrin.h>
#include <sched.h>

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

void Team::open(std::int64_t size) noexcept {
  wanted_ = size;
  error_ = nullptr;
  fails_.store(false, std::memory_order_relaxed);
  has_failed_.store(false, std::memory_order_relaxed);
  arrived_.store(0, std::memory_order_relaxed);
  size_.store(0, std::memory_order_relaxed);
  joined_.store(0, std::memory_order_release);
}

std::optional<Team::Member> Team::join() noexcept {
  using Clock = std::chrono::steady_clock;
  constexpr auto kPatience = std::chrono::microseconds(300);
  const std::int64_t index = joined_.fetch_add(1, std::memory_order_acq_rel);
  if (index >= kClosed) return std::nullopt;
  if (index == 0) {
    const auto latest = Clock::now() + kPatience;
    spin_until([&] {
      return joined_.load(std::memory_order_acquire) == wanted_ || Clock::now() > latest;
    });
    size_.store(joined_.fetch_add(kClosed, std::memory_order_acq_rel), std::memory_order_release);
  }
  spin_until([&] { return size_.load(std::memory_order_acquire) != 0; });
  return Member(*this, index, size_.load(std::memory_order_acquire));
}

void Team::wait(std::int64_t size) {
  const std::int64_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  spin_until([&] {
    return round_.load(std::memory_order_acquire) != round ||
           has_failed_.load(std::memory_order_acquire);
  });
  if (round_.load(std::memory_order_acquire) == round) std::rethrow_exception(error_);
}

void Team::fail(std::exception_ptr error) noexcept {
  if (fails_.exchange(true, std::memory_order_relaxed)) return;
  error_ = std::move(error);  // until the team is opened again, when no one looks at it any more
  has_failed_.store(true, std::memory_order_release);
}

}  // namespace quadgate
