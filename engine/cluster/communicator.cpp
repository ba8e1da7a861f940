#include "engine/cluster/communicator.h"

#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "engine/cluster/job.h"
#include "engine/cluster/record_gather.h"

namespace quadgate::cluster {

using Clock = std::chrono::steady_clock;

/// The thread that uses the transport.
class Communicator::Thread {
 public:
  Thread(Transport& transport, Options options)
      : transport_(transport),
        options_(std::move(options)),
        messenger_(transport),
        thread_([this](const std::stop_token& stop) { run(stop); }) {}

  void run(Job& job) {
    std::unique_lock lock(mutex_);
    if (failed_) throw Failure(failure_);
    job_ = &job;
    changed_.notify_all();
    over_.wait(lock, [&] { return job_ == nullptr; });
    if (failed_) throw Failure(failure_);
  }

  Traffic traffic() const {
    const std::scoped_lock lock(mutex_);
    return traffic_;
  }

  void fail(std::string_view text) {
    {
      const std::scoped_lock lock(mutex_);
      if (failed_) return;
      failed_ = true;
      failure_ = text;
      job_ = nullptr;
      over_.notify_all();
    }
    if (options_.on_failure) options_.on_failure(text);
    transport_.abort(1);
  }

 private:
  void run(const std::stop_token& stop) {
    try {
      Clock::time_point last_move = Clock::now();
      while (!stop.stop_requested()) {
        if (messenger_.poll()) last_move = Clock::now();
        Job* job = nullptr;
        {
          const std::scoped_lock lock(mutex_);
          job = job_;
        }
        if (job != nullptr && job->advance(messenger_)) {
          const std::scoped_lock lock(mutex_);
          traffic_ = messenger_.traffic();
          job_ = nullptr;
          over_.notify_all();
          job = nullptr;
          last_move = Clock::now();
        }
        rest(stop, job != nullptr, Clock::now() - last_move);
      }
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  /// Waits a little before it looks again: the caller of a job waits as well, so its core is free.
  void rest(const std::stop_token& stop, bool has_job, Clock::duration idle) {
    using std::chrono::microseconds;
    constexpr auto kSpin = microseconds(200);
    constexpr auto kShort = microseconds(50);
    if (has_job && idle < kSpin) {
      sched_yield();
    } else if (has_job) {
      std::this_thread::sleep_for(kShort);
    } else {
      const auto time = std::clamp<Clock::duration>(idle / 4, kShort, std::chrono::milliseconds(2));
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, stop, time, [&] { return job_ != nullptr; });
    }
  }

  Transport& transport_;
  Options options_;
  Messenger messenger_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;  // there is a job
  std::condition_variable over_;         // there is none
  Job* job_ = nullptr;                   // guarded by mutex_, as those below
  bool failed_ = false;
  std::string failure_;
  Traffic traffic_;
  std::jthread thread_;  // last: stopped and joined before the rest goes
};

Communicator::Communicator(std::unique_ptr<Transport> transport, Options options)
    : transport_(std::move(transport)), records_(std::make_unique<RecordGather>()) {
  if (world_size() > 1) thread_ = std::make_unique<Thread>(*transport_, std::move(options));
}

Communicator::~Communicator() = default;

int Communicator::rank() const noexcept { return transport_ ? transport_->rank() : 0; }
int Communicator::world_size() const noexcept { return transport_ ? transport_->world_size() : 1; }

void Communicator::all_gather(std::span<const std::byte> mine, std::span<std::byte> all) {
  if (!thread_) {
    std::ranges::copy(mine, all.begin());
    return;
  }
  records_->begin(mine, all);
  run(*records_);
}

std::vector<std::vector<std::byte>> Communicator::all_gather_any(std::span<const std::byte> mine) {
  const std::vector<std::uint64_t> sizes = sizes_of(mine);
  std::vector<std::byte> padded(std::ranges::max(sizes));
  std::ranges::copy(mine, padded.begin());
  std::vector<std::byte> all(padded.size() * sizes.size());
  all_gather(padded, all);
  std::vector<std::vector<std::byte>> records;
  for (std::size_t rank = 0; rank < sizes.size(); ++rank) {
    const auto record = std::span(all).subspan(rank * padded.size(), sizes[rank]);
    records.emplace_back(record.begin(), record.end());
  }
  return records;
}

std::vector<std::vector<std::byte>> Communicator::gather_any(std::span<const std::byte> mine) {
  const std::vector<std::uint64_t> sizes = sizes_of(mine);
  std::vector<std::vector<std::byte>> records;
  if (rank() == 0) {
    for (const std::uint64_t size : sizes) records.emplace_back(size);
  }
  if (thread_) {
    RecordsToFirst gather(mine, records);
    run(gather);
  } else {
    records[0].assign(mine.begin(), mine.end());
  }
  return records;
}

std::vector<std::uint64_t> Communicator::sizes_of(std::span<const std::byte> record) {
  const std::uint64_t size = record.size();
  std::vector<std::uint64_t> sizes(static_cast<std::size_t>(world_size()));
  all_gather(std::as_bytes(std::span(&size, 1)), std::as_writable_bytes(std::span(sizes)));
  return sizes;
}

Traffic Communicator::traffic() const noexcept { return thread_ ? thread_->traffic() : Traffic{}; }

void Communicator::fail(std::string_view text) noexcept {
  if (thread_) thread_->fail(text);
}

void Communicator::run(Job& job) { thread_->run(job); }

}  // namespace quadgate::cluster
