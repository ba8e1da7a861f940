#include "io/data/loader.h"

#include <fmt/format.h>

#include <chrono>
#include <span>
#include <utility>

#include "engine/base/error.h"
#include "engine/model/batch_rows.h"
#include "io/data/chunk_reader.h"
#include "io/data/row_order.h"

namespace quadgate {

Loader::Loader(Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle,
               std::int64_t first_batch, const RowShare& share)
    : split_(split), share_(share), order_(std::make_unique<RowOrder>(split, batch_size, shuffle)) {
  if (first_batch < 0 || first_batch > num_batches()) {
    throw InvalidArgument(
        fmt::format("first_batch: expected 0 to {}, found {}", num_batches(), first_batch));
  }
  if (shuffle && shuffle->buffer > 0) chunks_ = std::make_unique<ChunkReader>(split);
  thread_ =
      std::jthread([this, first_batch](const std::stop_token& stop) { run(stop, first_batch); });
}

Loader::~Loader() = default;

std::int64_t Loader::num_batches() const noexcept { return order_->num_batches(); }

bool Loader::next(Batch& batch) {
  using Clock = std::chrono::steady_clock;
  std::unique_lock lock(mutex_);
  const auto ready = [this] { return count_ > 0 || done_; };
  if (!ready()) {
    const auto start = Clock::now();
    changed_.wait(lock, ready);
    // The thread's end is no batch, and no part of the time between two of them.
    if (count_ > 0) {
      waited_seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
    }
  }
  if (count_ > 0) {
    std::swap(batch, ring_[first_]);
    first_ = (first_ + 1) % kAhead;
    --count_;
    changed_.notify_one();
    return true;
  }
  if (error_) std::rethrow_exception(error_);
  return false;
}

// The thread: fills the ring wherever the caller has taken a batch.
void Loader::run(const std::stop_token& stop, std::int64_t first_batch) {
  std::exception_ptr error;
  try {
    skip(first_batch);
    while (read(stop)) {
    }
  } catch (...) {
    error = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  error_ = error;
  done_ = true;
  changed_.notify_one();
}

void Loader::skip(std::int64_t batches) {
  for (std::int64_t i = 0; i < batches && order_->next(rows_); ++i) {
    if (chunks_) chunks_->skip(rows_);
  }
}

bool Loader::read(const std::stop_token& stop) {
  if (!order_->next(rows_)) return false;
  Batch* batch = nullptr;
  {
    std::unique_lock lock(mutex_);
    if (!changed_.wait(lock, stop, [this] { return count_ < kAhead; })) return false;
    batch = &ring_[(first_ + count_) % kAhead];
  }
  // Without the lock: an entry that is not ready is this thread's.
  read_share(*batch);
  const std::lock_guard lock(mutex_);
  ++count_;
  changed_.notify_one();
  return true;
}

// Reads the share of the batch with the rows rows_.
void Loader::read_share(Batch& batch) {
  const std::int64_t whole = std::ssize(rows_);
  const auto cut = [&](std::int64_t part) {
    return static_cast<std::size_t>(whole * part / share_.of);
  };
  const std::size_t first = cut(share_.first);
  const std::size_t end = cut(share_.last);
  const std::span<const std::int64_t> rows(rows_);
  if (chunks_) {
    chunks_->skip(rows.first(first));
    chunks_->skip(rows.subspan(end));
    chunks_->read(rows.subspan(first, end - first), batch);
  } else if (first < end) {
    split_.read(rows.subspan(first, end - first), batch);
  } else {
    clear(batch);
  }
  batch.whole_rows = share_.of > 1 ? whole : 0;
}

}  // namespace quadgate
