#include "io/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"

namespace quadgate {
namespace {

std::int64_t count_batches(std::int64_t rows, std::int64_t batch_size) {
  if (batch_size < 1) {
    throw InvalidArgument(fmt::format("batch_size: expected at least 1, found {}", batch_size));
  }
  return rows / batch_size + (rows % batch_size != 0 ? 1 : 0);
}

}  // namespace

Loader::Loader(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle,
               std::int64_t first_batch)
    : split_(split),
      batch_size_(batch_size),
      num_batches_(count_batches(split.size(), batch_size)),
      rows_(static_cast<std::size_t>(split.size())) {
  if (first_batch < 0 || first_batch > num_batches_) {
    throw InvalidArgument(
        fmt::format("first_batch: expected 0 to {}, found {}", num_batches_, first_batch));
  }
  std::iota(rows_.begin(), rows_.end(), 0);
  if (shuffle) quadgate::shuffle(rows_, shuffle->seed, RandomUse::shuffle, shuffle->epoch);
  thread_ =
      std::jthread([this, first_batch](const std::stop_token& stop) { run(stop, first_batch); });
}

bool Loader::next(Batch& batch) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return has_ready_ || done_; });
  if (has_ready_) {
    std::swap(batch, ready_);
    has_ready_ = false;
    changed_.notify_one();
    return true;
  }
  if (error_) std::rethrow_exception(error_);
  return false;
}

// The thread: fills ready_ whenever the caller has taken it.
void Loader::run(const std::stop_token& stop, std::int64_t first_batch) {
  std::exception_ptr error;
  try {
    for (std::int64_t index = first_batch; index < num_batches_; ++index) {
      {
        std::unique_lock lock(mutex_);
        if (!changed_.wait(lock, stop, [this] { return !has_ready_; })) return;
      }
      read(index);  // without the lock: until has_ready_, ready_ is this thread's
      const std::lock_guard lock(mutex_);
      has_ready_ = true;
      changed_.notify_one();
    }
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  done_ = true;
  changed_.notify_one();
}

void Loader::read(std::int64_t index) {
  const std::int64_t first = index * batch_size_;
  const std::int64_t count = std::min(batch_size_, split_.size() - first);
  split_.read(
      std::span(rows_).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
      ready_);
}

}  // namespace quadgate
