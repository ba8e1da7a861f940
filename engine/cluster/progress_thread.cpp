#include "engine/cluster/progress_thread.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "engine/cluster/error.h"

namespace quadgate::cluster {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

bool never() noexcept { return false; }

}  // namespace

ProgressThread::ProgressThread(const std::function<std::unique_ptr<Transport>()>& make,
                               Options options)
    : options_(std::move(options)), thread_([this, &make] { main(make); }) {
  std::unique_lock lock(mutex_);
  over_.wait(lock, [&] { return is_ready_; });
  if (error_) std::rethrow_exception(error_);
}

ProgressThread::~ProgressThread() {
  if (std::uncaught_exceptions() > exceptions_) fail("it ended with an error");
  const std::scoped_lock lock(mutex_);
  leaves_ = true;
  tell_news();
}

void ProgressThread::set_places(std::vector<std::string> hosts,
                                std::vector<std::string> addresses) {
  const std::scoped_lock lock(mutex_);
  hosts_ = std::move(hosts);
  addresses_ = std::move(addresses);
  tell_news();
}

void ProgressThread::run(Job& job, bool is_of_all) {
  std::unique_lock lock(mutex_);
  give(job, is_of_all, lock);
  wait(never, lock);
}

void ProgressThread::begin(Job& job, bool is_of_all) {
  std::unique_lock lock(mutex_);
  give(job, is_of_all, lock);
  tell_news();
}

void ProgressThread::wait(const std::function<bool()>& is_over) {
  std::unique_lock lock(mutex_);
  wait(is_over, lock);
}

void ProgressThread::nudge() {
  const std::scoped_lock lock(mutex_);
  tell_news();
}

void ProgressThread::give(Job& job, bool is_of_all, std::unique_lock<std::mutex>& lock) {
  wait([this] { return next_.job == nullptr; }, lock);
  (call_.job == nullptr ? call_ : next_) = {&job, is_of_all};
}

void ProgressThread::wait(const std::function<bool()>& is_over,
                          std::unique_lock<std::mutex>& lock) {
  const auto is_done = [&] { return call_.job == nullptr || is_over(); };
  if (!is_done()) {
    if (waiting_++ == 0) waiting_since_ = Clock::now();
    tell_news();
    over_.wait(lock, is_done);
    if (--waiting_ == 0) waited_ += Clock::now() - waiting_since_;
  }
  if (failure_) throw Failure(*failure_);
}

void ProgressThread::tell_news() {
  has_news_ = true;
  news_came_.notify_one();
}

Traffic ProgressThread::traffic() const {
  const std::scoped_lock lock(mutex_);
  return traffic_;
}

double ProgressThread::waited_seconds() const {
  const std::scoped_lock lock(mutex_);
  return std::chrono::duration<double>(waited_).count();
}

void ProgressThread::fail(std::string_view text) noexcept {
  std::unique_lock lock(mutex_);
  failing_ = text;
  tell_news();
  over_.wait_for(lock, 2 * options_.grace, [&] { return failure_.has_value(); });
}

void ProgressThread::main(const std::function<std::unique_ptr<Transport>()>& make) {
  try {
    transport_ = make();
    if (transport_) {
      rank_ = transport_->rank();
      world_size_ = transport_->world_size();
      messenger_ = std::make_unique<Messenger>(*transport_);
      watch_ = std::make_unique<Watch>(*messenger_, options_);
    }
  } catch (...) {
    error_ = std::current_exception();
    transport_.reset();
  }
  {
    const std::scoped_lock lock(mutex_);
    has_transport_ = transport_ != nullptr;
    is_ready_ = true;
    over_.notify_all();
  }
  if (!transport_) return;
  if (const std::optional<Watch::End> end = serve()) finish(*end);
  transport_.reset();
}

/// Until all ranks have left, or the run has failed.
std::optional<Watch::End> ProgressThread::serve() {
  Clock::time_point last = moved_ = Clock::now();
  std::optional<Watch::End> end;
  while (!end && !watch_->all_left()) {
    const Clock::time_point now = Clock::now();
    try {
      end = step(now - std::exchange(last, now));
    } catch (const std::exception& error) {
      begin_to_fail(error.what());
      // Rank 0 may have heard of it even so.
      if (now - *failing_since_ > options_.grace) {
        end = Watch::End{fmt::format("{}: {}", watch_->name(rank_), error.what()), false};
      }
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  return end;
}

std::optional<Watch::End> ProgressThread::step(Clock::duration elapsed) {
  if (messenger_->poll()) moved_ = Clock::now();
  take_news();
  if (std::optional<Watch::End> end = watch_->advance(elapsed)) return end;
  if (current_ != nullptr) {
    const bool is_over = current_->advance(*messenger_);
    const std::scoped_lock lock(mutex_);
    if (is_over) {
      current_ = nullptr;
      call_ = std::exchange(next_, {});
      has_news_ = has_news_ || call_.job != nullptr;
      traffic_ = messenger_->traffic();
    }
    is_waited_for_ = waiting_ > 0 && !is_over;
    if (waiting_ > 0) over_.notify_all();
  }
  rest(Clock::now() - moved_);
  return std::nullopt;
}

/// What other threads have asked for.
void ProgressThread::take_news() {
  const std::scoped_lock lock(mutex_);
  if (!std::exchange(has_news_, false)) return;
  moved_ = Clock::now();
  if (!hosts_.empty()) {
    watch_->set_places(std::exchange(hosts_, {}), Neighbours(addresses_, rank_));
  }
  if (leaves_) watch_->leave();
  if (failing_) begin_to_fail(*failing_);
  is_waited_for_ = waiting_ > 0;
  if (failing_since_ || call_.job == nullptr || call_.job == current_) return;
  current_ = call_.job;
  // Ranks count the calls that all of them make.
  if (call_.is_of_all) watch_->begin_call();
}

/// No job goes on from here.
void ProgressThread::begin_to_fail(std::string_view text) {
  if (failing_since_) return;
  failing_since_ = Clock::now();
  current_ = nullptr;
  watch_->fail(text);
}

/// Waits a little before it looks again. While a caller waits for a job, a core is free; while it
/// computes, each look takes time from it, and the system's buffers keep a link busy. What has not
/// come for long may wait a hundredth longer.
void ProgressThread::rest(Clock::duration idle) {
  constexpr auto kSpin = microseconds(200);
  if (current_ != nullptr && is_waited_for_ && idle < kSpin) {
    sched_yield();
    return;
  }
  const auto shortest = is_waited_for_ ? microseconds(50) : microseconds(500);
  constexpr auto kLongest = microseconds(5'000);
  const auto part = messenger_->is_moving() ? idle / 100 : idle / 4;
  std::unique_lock lock(mutex_);
  news_came_.wait_for(lock, std::clamp<Clock::duration>(part, shortest, kLongest),
                      [&] { return has_news_; });
}

/// Ends a failed run. The launcher may end this process as soon as another one is told, so the line
/// comes first.
void ProgressThread::finish(const Watch::End& end) {
  if (options_.end_process) {
    watchdog_ = std::jthread([this](const std::stop_token& stop) {
      std::mutex mutex;
      std::unique_lock lock(mutex);
      std::condition_variable_any stopped;
      stopped.wait_for(lock, stop, options_.grace, [] { return false; });
      if (!stop.stop_requested()) options_.end_process();
    });
  }
  if (!end.is_reported) {
    if (options_.on_failure) options_.on_failure(end.text);
    // MPICH's launcher loses what it has not read yet when a rank aborts.
    std::this_thread::sleep_for(options_.grace / 8);
    tell(end.text);
  }
  std::unique_lock lock(mutex_);
  failure_ = end.text;
  call_ = next_ = {};
  over_.notify_all();
  // Who reported it ends the others, if it can.
  if (end.is_reported) news_came_.wait_for(lock, options_.grace / 2, [&] { return leaves_; });
  lock.unlock();
  transport_->abort(1);
}

/// Gives the others a moment to hear that the run has failed. Some of them may not hear.
void ProgressThread::tell(std::string_view text) {
  constexpr auto kMoment = milliseconds(300);
  const Clock::time_point start = Clock::now();
  try {
    watch_->tell_end(text);
    while (watch_->telling() > 0 && Clock::now() - start < kMoment) {
      messenger_->poll();
      std::this_thread::sleep_for(microseconds(50));
    }
  } catch (const std::exception&) {  // what broke is what was reported
  }
}

}  // namespace quadgate::cluster
