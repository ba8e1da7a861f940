#include "io/data/chunk_reader.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/model/batch_rows.h"

namespace quadgate {

ChunkReader::ChunkReader(Split& split) : split_(split), chunks_(split.chunks()) {}

std::size_t ChunkReader::chunk_of(std::int64_t row) const noexcept {
  const auto next = std::ranges::upper_bound(chunks_, row);
  return static_cast<std::size_t>(next - chunks_.begin()) - 1;
}

std::int64_t ChunkReader::size_of(std::size_t chunk) const noexcept {
  return chunks_[chunk + 1] - chunks_[chunk];
}

void ChunkReader::skip(std::span<const std::int64_t> rows) {
  for (const std::int64_t row : rows) {
    if (Rows::node_type node = waiting_.extract(row)) {
      free_.push_back(std::move(node));
      continue;
    }
    const std::size_t chunk = chunk_of(row);
    Skipped& skipped = skipped_[chunk];
    skipped.rows.resize(static_cast<std::size_t>(size_of(chunk)));
    skipped.rows[static_cast<std::size_t>(row - chunks_[chunk])] = true;
    if (++skipped.count == size_of(chunk)) skipped_.erase(chunk);
  }
}

void ChunkReader::read(std::span<const std::int64_t> rows, Batch& batch) {
  clear(batch);
  for (const std::int64_t row : rows) {
    if (!waiting_.contains(row)) load(chunk_of(row));
    Rows::node_type node = waiting_.extract(row);
    append_row(node.mapped(), 0, batch);
    free_.push_back(std::move(node));
  }
}

void ChunkReader::load(std::size_t chunk) {
  loading_.resize(static_cast<std::size_t>(size_of(chunk)));
  std::iota(loading_.begin(), loading_.end(), chunks_[chunk]);
  split_.read(loading_, chunk_);
  const auto skipped = skipped_.find(chunk);
  for (std::int64_t i = 0; i < size_of(chunk); ++i) {
    const bool wanted =
        skipped == skipped_.end() || !skipped->second.rows[static_cast<std::size_t>(i)];
    if (wanted) keep(chunks_[chunk] + i, i);
  }
  if (skipped != skipped_.end()) skipped_.erase(skipped);
}

// Has row `position` of the chunk that was read wait as `row`.
void ChunkReader::keep(std::int64_t row, std::int64_t position) {
  Batch* kept = nullptr;
  if (free_.empty()) {
    kept = &waiting_[row];
  } else {
    free_.back().key() = row;
    kept = &waiting_.insert(std::move(free_.back())).position->second;
    free_.pop_back();
  }
  clear(*kept);
  append_row(chunk_, position, *kept);
}

}  // namespace quadgate
