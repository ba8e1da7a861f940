#pragma once

#include <cstdint>
#include <memory>

namespace quadgate {

class Topology;

/// Where the threads of an arena may run.
enum class Pinning : std::uint8_t {
  none,   ///< where the system puts them
  cores,  ///< each on a CPU of its own: physical cores first, then what shares a core with another;
          ///< with more threads than CPUs, round and round
  caches,  ///< each on all CPUs that share a last-level cache with the one of its own: what a
           ///< thread has in memory stays near, and it gives way to other programs
};

/// Runs body(context) on `threads` threads at the same time, of which the caller is one, and waits
/// for all. body throws nothing.
using ThreadPool = void (*)(int threads, void (*body)(void* context), void* context);

/// The one place that knows threads: runs a function for every index on a fixed number of cores.
class Arena {
 public:
  /// Throws InvalidArgument unless 1 <= threads <= 1024. Pinned threads, among them the one that
  /// calls, keep to the CPUs that it may run on, and get all of these back when the arena ends; so
  /// make one pinned arena at a time, and call for_each from the thread that made it.
  explicit Arena(int threads, Pinning pinning = Pinning::none);
  /// The same with the CPUs that the calling thread may run on as `topology` describes them.
  Arena(int threads, Pinning pinning, const Topology& topology);
  /// On the threads of another library: two pools would take the cores from each other, since the
  /// threads of one that spins run on after its work. Throws InvalidArgument likewise.
  Arena(int threads, ThreadPool pool);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  int threads() const noexcept { return threads_; }
  /// How many cores that come one after the other share a last-level cache. All of them, unless
  /// pinning sees to it.
  int threads_a_cache() const noexcept { return threads_a_cache_; }

  /// Calls `body(index)` for each index in [0, count), in any order, on at most threads() cores at
  /// a time, and waits for all. Where there are no more indices than cores, each core takes the
  /// same one in every call, unless it comes late. Within a call oneDNN sees one core, so that it
  /// neither spreads over the others nor steals from them. The first exception of `body` is
  /// rethrown here. `body` must not call for_each itself.
  template <typename Body>
  void for_each(std::int64_t count, Body body) {
    run(count, threads_, &invoke<Body>, &body);
  }

  /// The same on the calling core alone: for work that takes less time than others need to wake up
  /// and to fetch what it works on.
  template <typename Body>
  void for_each_here(std::int64_t count, Body body) {
    run(count, 1, &invoke<Body>, &body);
  }

 private:
  using Call = void (*)(void* context, std::int64_t index);
  template <typename Body>
  static void invoke(void* context, std::int64_t index) {
    (*static_cast<Body*>(context))(index);
  }
  void run(std::int64_t count, int threads, Call call, void* context);

  struct Threads;
  int threads_;
  int threads_a_cache_;
  ThreadPool pool_ = nullptr;  // null: TBB's
  std::unique_ptr<Threads> impl_;
};

}  // namespace quadgate
