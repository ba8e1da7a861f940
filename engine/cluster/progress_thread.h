#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "engine/cluster/job.h"
#include "engine/cluster/messenger.h"
#include "engine/cluster/options.h"
#include "engine/cluster/transport.h"
#include "engine/cluster/watch.h"

namespace quadgate::cluster {

/// The one thread that makes, uses and ends a transport. It does the jobs of the caller's thread,
/// and tells whether the other ranks live.
class ProgressThread {
 public:
  /// Waits until the transport is there. Throws what `make` throws. Where that gives none, the
  /// thread ends.
  ProgressThread(const std::function<std::unique_ptr<Transport>()>& make, Options options);
  /// Waits until all ranks are here, unless the run has failed. While an exception goes through its
  /// owner, it fails.
  ~ProgressThread();
  ProgressThread(const ProgressThread&) = delete;
  ProgressThread& operator=(const ProgressThread&) = delete;

  bool has_transport() const noexcept { return has_transport_; }
  int rank() const noexcept { return rank_; }
  int world_size() const noexcept { return world_size_; }
  /// The names of all ranks' machines, and their processes' addresses.
  void set_places(std::vector<std::string> hosts, std::vector<std::string> addresses);

  /// Runs a job of all ranks, or of some, to its end, once those before it are over. Throws Failure
  /// once the run has failed.
  void run(Job& job, bool is_of_all);
  /// Begins a job likewise: one may follow another, and the caller waits where two are there.
  void begin(Job& job, bool is_of_all);
  /// Waits until `is_over()`, or until there is no job. Throws likewise.
  void wait(const std::function<bool()>& is_over);
  /// A job that is under way may have more to do.
  void nudge();
  /// Of the jobs that are over.
  Traffic traffic() const;
  /// How long any caller has waited.
  double waited_seconds() const;
  /// Says that this rank failed. Returns once the run has, or after twice the grace.
  void fail(std::string_view text) noexcept;

 private:
  using Clock = std::chrono::steady_clock;
  struct Call {
    Job* job = nullptr;
    bool is_of_all = true;  // of the ranks
  };

  void give(Job& job, bool is_of_all, std::unique_lock<std::mutex>& lock);
  void wait(const std::function<bool()>& is_over, std::unique_lock<std::mutex>& lock);
  void tell_news();
  void main(const std::function<std::unique_ptr<Transport>()>& make);
  std::optional<Watch::End> serve();
  std::optional<Watch::End> step(Clock::duration elapsed);
  void take_news();
  void begin_to_fail(std::string_view text);
  void rest(Clock::duration idle);
  void finish(const Watch::End& end);
  void tell(std::string_view text);

  Options options_;
  bool has_transport_ = false;
  int rank_ = 0;
  int world_size_ = 1;
  int exceptions_ = std::uncaught_exceptions();

  mutable std::mutex mutex_;
  std::condition_variable news_came_;  // to the thread
  std::condition_variable over_;       // what a caller waits for
  // Guarded by mutex_:
  bool is_ready_ = false;
  std::exception_ptr error_;  // of the start
  bool has_news_ = false;     // those below have changed
  Call call_;                 // under way
  Call next_;                 // after it
  bool leaves_ = false;
  std::optional<std::string> failing_;
  std::vector<std::string> hosts_;
  std::vector<std::string> addresses_;
  std::optional<std::string> failure_;  // of the run
  Traffic traffic_;
  int waiting_ = 0;  // callers
  Clock::time_point waiting_since_;
  Clock::duration waited_{0};

  // Of the thread alone:
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Messenger> messenger_;
  std::unique_ptr<Watch> watch_;
  Job* current_ = nullptr;
  bool is_waited_for_ = false;
  Clock::time_point moved_;
  std::optional<Clock::time_point> failing_since_;

  std::jthread watchdog_;  // of a failed run
  std::jthread thread_;    // last: joined before the rest goes
};

}  // namespace quadgate::cluster
