#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace quadgate::hdf5 {

/// A dataset in chunks of at most so many bytes is kept once it is decompressed: its rows may come
/// in any order, and from the second time on they cost no more than others. A larger one is read
/// chunk by chunk.
inline constexpr std::int64_t kMostKeptBytes = std::int64_t{256} << 20;

/// The rows of a dataset that were read so far, in memory.
class KeptRows {
 public:
  /// Reads rows of the file.
  using Read =
      std::function<void(std::int64_t first, std::int64_t count, std::span<std::byte> out)>;

  /// For `rows` rows, each `chunk_rows` of which are decompressed together.
  KeptRows(std::int64_t rows, std::int64_t row_bytes, std::int64_t chunk_rows);

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
