#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace quadgate::hdf5 {

/// The rows of a dataset in chunks that were read so far, decompressed in memory: they may come in
/// any order, and from the second time on cost no more than others.
class ChunkCache {
 public:
  /// Reads rows of the file.
  using Read =
      std::function<void(std::int64_t first, std::int64_t count, std::span<std::byte> out)>;

  /// Whether a dataset of so many bytes may be kept: 256 MiB at most, about 768 MiB of all of
  /// the process.
  static bool has_room(std::int64_t bytes) noexcept;

  /// For `rows` rows, each `chunk_rows` of which are decompressed together.
  ChunkCache(std::int64_t rows, std::int64_t row_bytes, std::int64_t chunk_rows);
  ~ChunkCache();
  ChunkCache(const ChunkCache&) = delete;
  ChunkCache& operator=(const ChunkCache&) = delete;

  /// Copies `count` rows from row `first`; `read` gets the chunks of those that are not here yet.
  void copy(std::int64_t first, std::int64_t count, std::span<std::byte> out, const Read& read);

 private:
  std::span<std::byte> bytes(std::int64_t first, std::int64_t count) const noexcept;

  std::int64_t rows_;
  std::int64_t row_bytes_;
  std::int64_t chunk_rows_;
  std::unique_ptr<std::byte[]> values_;  // memory only where rows were read
  std::vector<bool> has_chunk_;
};

}  // namespace quadgate::hdf5
