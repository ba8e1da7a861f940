#include "io/data/row_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "engine/base/error.h"
#include "engine/base/random.h"

namespace quadgate {
namespace {

std::int64_t count_batches(std::int64_t rows, std::int64_t batch_size) {
  if (batch_size < 1) {
    throw InvalidArgument(fmt::format("batch_size: expected at least 1, found {}", batch_size));
  }
  return rows / batch_size + (rows % batch_size != 0 ? 1 : 0);
}

}  // namespace

RowOrder::RowOrder(const Split& split, std::int64_t batch_size,
                   const std::optional<Shuffle>& shuffle)
    : split_(split),
      batch_size_(batch_size),
      num_batches_(count_batches(split.size(), batch_size)),
      shuffle_(shuffle) {
  if (!shuffle_) return;
  if (shuffle_->buffer < 0) {
    throw InvalidArgument(
        fmt::format("shuffle_buffer: expected at least 0, found {}", shuffle_->buffer));
  }
  if (shuffle_->buffer > 0) {
    chunks_ = split.chunks();
    buffer_.reserve(static_cast<std::size_t>(std::min(shuffle_->buffer, split.size())));
  }
  order_.resize(shuffle_->buffer > 0 ? chunks_.size() - 1 : static_cast<std::size_t>(split.size()));
  std::iota(order_.begin(), order_.end(), 0);
  quadgate::shuffle(order_, shuffle_->seed,
                    shuffle_->buffer > 0 ? RandomUse::shuffle_chunks : RandomUse::shuffle,
                    shuffle_->epoch);
}

bool RowOrder::next(std::vector<std::int64_t>& rows) {
  if (batches_ == num_batches_) return false;
  rows.clear();
  // The last batch, if it is a smaller one, has the last rows as they come.
  if (shuffle_ && shuffle_->by_length && window_.empty()) fill_window();
  if (!window_.empty()) {
    next_of_window(rows);
  } else {
    const std::int64_t count = std::min(batch_size_, split_.size() - batches_ * batch_size_);
    for (std::int64_t i = 0; i < count; ++i) rows.push_back(next_row());
  }
  ++batches_;
  return true;
}

std::uint64_t RowOrder::draw(RandomUse use, std::uint64_t index, std::size_t count) const noexcept {
  return quadgate::draw(shuffle_->seed, use, shuffle_->epoch, index, count);
}

std::int64_t RowOrder::next_row() {
  const std::int64_t position = rows_++;
  if (!shuffle_) return position;
  if (shuffle_->buffer == 0) return order_[static_cast<std::size_t>(position)];
  while (std::ssize(buffer_) < shuffle_->buffer && chunk_ < order_.size()) {
    buffer_.push_back(next_of_chunks());
  }
  const std::size_t drawn =
      draw(RandomUse::shuffle_buffer, static_cast<std::uint64_t>(position), buffer_.size());
  std::swap(buffer_[drawn], buffer_.back());
  const std::int64_t row = buffer_.back();
  buffer_.pop_back();
  return row;
}

std::int64_t RowOrder::next_of_chunks() {
  const auto chunk = static_cast<std::size_t>(order_[chunk_]);
  const std::int64_t row = chunks_[chunk] + in_chunk_++;
  if (row + 1 == chunks_[chunk + 1]) {
    ++chunk_;
    in_chunk_ = 0;
  }
  return row;
}

// Takes the rows of the next batches, as many as are whole, sorted by length.
void RowOrder::fill_window() {
  const std::int64_t whole = split_.size() / batch_size_ - batches_;
  const std::int64_t count = std::min(kBucketBatches, whole) * batch_size_;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = next_row();
    window_.push_back({split_.length(row), i, row});
  }
  std::ranges::sort(window_);  // among rows of one length, those that came first
}

void RowOrder::next_of_window(std::vector<std::int64_t>& rows) {
  const auto size = static_cast<std::size_t>(batch_size_);
  const std::size_t left = window_.size() / size;
  const std::size_t drawn =
      draw(RandomUse::shuffle_batches, static_cast<std::uint64_t>(batches_), left);
  const auto batch = window_.begin() + static_cast<std::ptrdiff_t>(drawn * size);
  const auto end = batch + static_cast<std::ptrdiff_t>(size);
  std::transform(batch, end, std::back_inserter(rows), [](const auto& entry) { return entry[2]; });
  if (drawn + 1 < left) std::copy(window_.end() - batch_size_, window_.end(), batch);
  window_.resize(window_.size() - size);
}

}  // namespace quadgate
