#include "engine/team.h"

#include <immintrin.h>
#include <sched.h>

namespace quadgate {

void Team::wait(std::int64_t size) noexcept {
  // A step takes microseconds: spin for about as long, then let others have the core.
  constexpr int kSpins = 4000;
  const std::int64_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (int spin = 0; round_.load(std::memory_order_acquire) == round; ++spin) {
    if (spin < kSpins) {
      _mm_pause();
    } else {
      sched_yield();
    }
  }
}

}  // namespace quadgate
