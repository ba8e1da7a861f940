#include "engine/threads/arena.h"

#include <fmt/format.h>
#include <tbb/global_control.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <tbb/task_scheduler_observer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <set>
#include <vector>

#include "engine/base/error.h"
#include "engine/threads/affinity.h"
#include "engine/threads/order.h"
#include "engine/threads/topology.h"

namespace quadgate {
namespace {

/// Pins the thread that makes it and, from now on, every thread that comes to work in `arena`.
class Pins : public tbb::task_scheduler_observer {
 public:
  /// A thread in slot s keeps to parts[s % their number]. Those pinned get `cpus` back.
  Pins(tbb::task_arena& arena, std::vector<std::vector<int>> parts, std::vector<int> cpus)
      : tbb::task_scheduler_observer(arena), parts_(std::move(parts)), cpus_(std::move(cpus)) {
    pin_this_thread(0);
    made_.comes();
    observe(true);
  }
  ~Pins() override {
    observe(false);
    left_.has_come();
    for (const std::int32_t thread : pinned_) {
      restrict_thread(thread, cpus_);
    }
  }
  Pins(const Pins&) = delete;
  Pins& operator=(const Pins&) = delete;

  /// A worker may come to another slot each time. The caller of for_each is always in slot 0.
  void on_scheduler_entry(bool is_worker) override {
    if (!is_worker) return;
    made_.has_come();
    pin_this_thread(static_cast<std::size_t>(tbb::this_task_arena::current_thread_index()));
    left_.comes();
  }

 private:
  void pin_this_thread(std::size_t slot) {
    const std::int32_t thread = current_thread_id();
    restrict_thread(thread, parts_[slot % parts_.size()]);
    const std::scoped_lock lock(mutex_);
    pinned_.insert(thread);
  }

  const std::vector<std::vector<int>> parts_;
  const std::vector<int> cpus_;
  std::mutex mutex_;
  std::set<std::int32_t> pinned_;
  Moment made_, left_;
};

/// The order of what an arena runs: all that was before, then each of the calls, then all that
/// comes after, also if calls throw.
class Calls {
 public:
  Calls() noexcept { begin_.comes(); }
  ~Calls() { end_.has_come(); }
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  /// Some of them, for as long as it lives.
  class Some {
   public:
    explicit Some(Calls& calls) noexcept : calls_(calls) { calls_.begin_.has_come(); }
    ~Some() { calls_.end_.comes(); }
    Some(const Some&) = delete;
    Some& operator=(const Some&) = delete;

   private:
    Calls& calls_;
  };

 private:
  Moment begin_, end_;
};

constexpr int kMostThreads = 1024;

/// Few indices, of which each is taken once.
class Claims {
 public:
  /// count <= kMostThreads
  explicit Claims(std::int64_t count) noexcept : count_(count) {}

  /// The index `slot`, or, if it is taken, one that is left. Not more often than there are indices.
  std::int64_t take(std::int64_t slot) noexcept {
    std::int64_t index = slot % count_;
    while (!claim(index)) index = (index + 1) % count_;
    return index;
  }

 private:
  static constexpr std::int64_t kBits = 64;

  bool claim(std::int64_t index) noexcept {
    std::atomic<std::uint64_t>& word = taken_[static_cast<std::size_t>(index / kBits)];
    const std::uint64_t bit = std::uint64_t{1} << (index % kBits);
    return (word & bit) == 0 && (word.fetch_or(bit) & bit) == 0;
  }

  std::int64_t count_;
  std::array<std::atomic<std::uint64_t>, kMostThreads / kBits> taken_{};
};

/// The CPUs for each slot; none without pinning, or where it would leave all to each.
std::vector<std::vector<int>> parts_of(const Topology& topology, Pinning pinning) {
  std::vector<std::vector<int>> parts;
  for (std::size_t place = 0; place < topology.cpus().size(); ++place) {
    if (pinning == Pinning::cores) parts.push_back({topology.cpus()[place].number});
    if (pinning == Pinning::caches) parts.push_back(topology.sharing_cache(place));
  }
  const bool limits = std::ranges::any_of(
      parts, [&](const std::vector<int>& part) { return part.size() < parts.size(); });
  return limits ? parts : std::vector<std::vector<int>>{};
}

int checked(int threads) {
  if (threads < 1 || threads > kMostThreads) {
    throw InvalidArgument(
        fmt::format("threads: expected 1 to {}, found {}", kMostThreads, threads));
  }
  return threads;
}

/// Runs body(slot) on so many threads of a pool, each of which has a slot of its own, and rethrows
/// the first exception.
template <typename Body>
void run_in_pool(ThreadPool pool, int threads, Body body) {
  struct Run {
    Body& body;
    std::atomic<int> slots = 0;
    std::mutex mutex{};
    std::exception_ptr error{};

    void operator()() noexcept {
      try {
        body(slots++);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  } run{body};
  pool(
      threads, [](void* context) { (*static_cast<Run*>(context))(); }, &run);
  if (run.error) std::rethrow_exception(run.error);
}

}  // namespace

/// `all` hands out the indices; `alone[slot]` is the one-core arena that a thread of `all` enters
/// for each of them, since oneDNN asks the arena that it is called from for its number of threads.
struct Arena::Threads {
  Threads(int threads, Pinning pinning, const Topology& topology)
      : limit(tbb::global_control::max_allowed_parallelism,
              std::max(
                  static_cast<std::size_t>(threads),
                  tbb::global_control::active_value(tbb::global_control::max_allowed_parallelism))),
        all(threads) {
    for (int slot = 0; slot < threads; ++slot) {
      alone.push_back(std::make_unique<tbb::task_arena>(1));
      alone.back()->initialize();
    }
    if (auto parts = parts_of(topology, pinning); !parts.empty()) {
      pins = std::make_unique<Pins>(all, std::move(parts), topology.numbers());
    }
  }

  tbb::global_control limit;
  tbb::task_arena all;
  std::vector<std::unique_ptr<tbb::task_arena>> alone;
  std::unique_ptr<Pins> pins;
};

Arena::Arena(int threads, Pinning pinning)
    : Arena(threads, pinning,
            pinning == Pinning::none ? Topology() : Topology::of(allowed_cpus())) {}

Arena::Arena(int threads, Pinning pinning, const Topology& topology)
    : threads_(checked(threads)),
      threads_a_cache_(threads),
      impl_(std::make_unique<Threads>(threads, pinning, topology)) {
  if (pinning != Pinning::none) {
    threads_a_cache_ = static_cast<int>(topology.threads_a_cache(threads));
  }
}

Arena::Arena(int threads, ThreadPool pool)
    : threads_(checked(threads)),
      threads_a_cache_(threads),
      pool_(pool),
      impl_(std::make_unique<Threads>(threads, Pinning::none, Topology())) {}

Arena::~Arena() = default;

void Arena::run(std::int64_t count, int threads, Call call, void* context) {
  Calls calls;
  const auto call_each = [&](std::int64_t first, std::int64_t last) {
    const Calls::Some some(calls);
    for (std::int64_t index = first; index < last; ++index) call(context, index);
  };
  if (threads == 1) {
    impl_->alone.front()->execute([&] { call_each(0, count); });
    return;
  }
  if (pool_ != nullptr) {
    std::atomic<std::int64_t> next = 0;
    run_in_pool(pool_, threads, [&](int slot) {
      impl_->alone[static_cast<std::size_t>(slot)]->execute([&] {
        for (std::int64_t index = next++; index < count; index = next++)
          call_each(index, index + 1);
      });
    });
    return;
  }
  const bool are_few = count <= threads;
  Claims claims(are_few ? count : 0);
  impl_->all.execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<std::int64_t>(0, count, 1),
        [&](const tbb::blocked_range<std::int64_t>& range) {
          const int slot = tbb::this_task_arena::current_thread_index();
          const std::int64_t index = are_few ? claims.take(slot) : range.begin();
          impl_->alone[static_cast<std::size_t>(slot)]->execute(
              [&] { call_each(index, index + 1); });
        },
        tbb::simple_partitioner());
  });
}

}  // namespace quadgate
