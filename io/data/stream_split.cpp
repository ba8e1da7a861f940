#include "io/data/stream_split.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/base/ceil_div.h"
#include "engine/base/error.h"

namespace quadgate {

StreamSplit::StreamSplit(const hdf5::File& file, const std::string& name, const Streams& streams,
                         std::int64_t vocabulary)
    : x_(file.array(name + "/x")),
      streams_(streams),
      vocabulary_(vocabulary),
      steps_(x_.size() / streams.count - 1) {
  x_.expect(hdf5::Element::int32, {hdf5::kAnySize}, "[L]");
  if (steps_ < 1) {
    throw DataError(fmt::format("{}: expected at least 2 tokens for each of {} streams, found {}",
                                x_.where(), streams.count, x_.size()));
  }
}

std::int64_t StreamSplit::size() const noexcept {
  return ceil_div(steps_, streams_.bptt_len) * streams_.count;
}

std::int64_t StreamSplit::length(std::int64_t row) const noexcept {
  return std::min(streams_.bptt_len, steps_ - row / streams_.count * streams_.bptt_len);
}

std::int64_t StreamSplit::max_len() const noexcept { return std::min(streams_.bptt_len, steps_); }

std::int64_t StreamSplit::begin(std::int64_t row) const noexcept {
  return row % streams_.count * (steps_ + 1) + row / streams_.count * streams_.bptt_len;
}

std::string StreamSplit::where(std::int64_t row) const {
  return fmt::format("{} row {}", x_.where(), begin(row));
}

void StreamSplit::read(std::span<const std::int64_t> rows, Batch& batch) {
  batch.x.clear();
  batch.targets.clear();
  batch.tokens.clear();
  batch.labels.clear();
  batch.offsets.assign(1, 0);
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= size()) {
      throw InvalidArgument(fmt::format("{}: no row {}, of {}", x_.where(), row, size()));
    }
    piece_.resize(static_cast<std::size_t>(length(row) + 1));
    x_.read(begin(row), std::ssize(piece_), piece_);
    const auto bad = std::ranges::find_if_not(
        piece_, [&](std::int32_t token) { return token >= 0 && token < vocabulary_; });
    if (bad != piece_.end()) {
      throw DataError(fmt::format("{} row {}: expected a token from 0 to {}, found {}", x_.where(),
                                  begin(row) + (bad - piece_.begin()), vocabulary_ - 1, *bad));
    }
    batch.tokens.insert(batch.tokens.end(), piece_.begin(), piece_.end() - 1);
    batch.labels.insert(batch.labels.end(), piece_.begin() + 1, piece_.end());
    batch.offsets.push_back(std::ssize(batch.tokens));
  }
}

}  // namespace quadgate
