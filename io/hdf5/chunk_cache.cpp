#include "io/hdf5/chunk_cache.h"

#include <algorithm>
#include <atomic>

namespace quadgate::hdf5 {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{256} << 20;
constexpr std::int64_t kMostInAll = 3 * kMostBytes;

std::atomic<std::int64_t> bytes_in_all = 0;

}  // namespace

bool ChunkCache::has_room(std::int64_t bytes) noexcept {
  return bytes <= kMostBytes && bytes_in_all + bytes <= kMostInAll;
}

ChunkCache::ChunkCache(std::int64_t rows, std::int64_t row_bytes, std::int64_t chunk_rows)
    : rows_(rows),
      row_bytes_(row_bytes),
      chunk_rows_(chunk_rows),
      values_(
          std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(rows * row_bytes))),
      has_chunk_(static_cast<std::size_t>((rows - 1) / chunk_rows + 1)) {
  bytes_in_all += rows_ * row_bytes_;
}

ChunkCache::~ChunkCache() { bytes_in_all -= rows_ * row_bytes_; }

void ChunkCache::copy(std::int64_t first, std::int64_t count, std::span<std::byte> out,
                      const Read& read) {
  const auto lacks = [this](std::int64_t chunk) {
    return !has_chunk_[static_cast<std::size_t>(chunk)];
  };
  const std::int64_t end = (first + count - 1) / chunk_rows_ + 1;
  // Chunks that follow each other are one read.
  for (std::int64_t chunk = first / chunk_rows_; chunk < end; ++chunk) {
    const std::int64_t begin = chunk;
    while (chunk < end && lacks(chunk)) ++chunk;
    if (chunk == begin) continue;
    const std::int64_t row = begin * chunk_rows_;
    const std::int64_t lacking = std::min(rows_, chunk * chunk_rows_) - row;
    read(row, lacking, bytes(row, lacking));
    std::fill(has_chunk_.begin() + begin, has_chunk_.begin() + chunk, true);
  }
  std::ranges::copy(bytes(first, count), out.begin());
}

std::span<std::byte> ChunkCache::bytes(std::int64_t first, std::int64_t count) const noexcept {
  return {values_.get() + first * row_bytes_, static_cast<std::size_t>(count * row_bytes_)};
}

}  // namespace quadgate::hdf5
