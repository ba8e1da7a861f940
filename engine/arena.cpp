#include "engine/arena.h"

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <vector>

#include "engine/error.h"

namespace quadgate {

/// `all` hands out the indices; `alone[slot]` is the one-core arena that a thread of `all` enters
/// for each of them, since oneDNN asks the arena that it is called from for its number of threads.
struct Arena::Threads {
  explicit Threads(int threads)
      : limit(tbb::global_control::max_allowed_parallelism,
              std::max(
                  static_cast<std::size_t>(threads),
                  tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism))),
        all(threads) {
    for (int slot = 0; slot < threads; ++slot) {
      alone.push_back(std::make_unique<tbb::task_arena>(1));
      alone.back()->initialize();
    }
  }

  tbb::global_control limit;
  tbb::task_arena all;
  std::vector<std::unique_ptr<tbb::task_arena>> alone;
};

Arena::Arena(int threads) : threads_(threads) {
  constexpr int kMostThreads = 1024;
  if (threads < 1 || threads > kMostThreads) {
    throw InvalidArgument(
        fmt::format("threads: expected 1 to {}, found {}", kMostThreads, threads));
  }
  impl_ = std::make_unique<Threads>(threads);
}

Arena::~Arena() = default;

void Arena::run(std::int64_t count, Call call, void* context) {
  // The calls see what was written before them, and the caller sees what they wrote: TBB orders
  // them with atomics inside its library, where the thread sanitizer does not look. These order
  // them again, in sight.
  std::atomic<std::int64_t> calls;
  calls.store(0, std::memory_order_release);
  impl_->all.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, count, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          const auto slot = static_cast<std::size_t>(tbb::this_task_arena::current_thread_index());
          static_cast<void>(calls.load(std::memory_order_acquire));
          impl_->alone[slot]->execute([&] {
            for (std::int64_t index = range.begin(); index < range.end(); ++index) {
              call(context, index);
            }
          });
          calls.fetch_add(1, std::memory_order_release);
        },
        tbb::simple_partitioner());
  });
  static_cast<void>(calls.load(std::memory_order_acquire));
}

}  // namespace quadgate
