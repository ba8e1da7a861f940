#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/model/batch.h"
#include "io/data/dataset.h"

namespace quadgate {

/// Reads each chunk of a split once, as a whole, and keeps its rows in memory until they are asked
/// for. It suits a pass over every row in an order that does not jump far (see Shuffle::buffer): as
/// many rows wait as the order jumps.
class ChunkReader {
 public:
  /// `split` must outlive it.
  explicit ChunkReader(Split& split);

  /// Nobody will ask for these rows, of which none was read.
  void skip(std::span<const std::int64_t> rows);
  /// As Split::read.
  void read(std::span<const std::int64_t> rows, Batch& batch);

  /// Rows that wait in memory.
  std::size_t waiting() const noexcept { return waiting_.size(); }

 private:
  using Rows = std::unordered_map<std::int64_t, Batch>;
  struct Skipped {
    std::vector<bool> rows;  // of a chunk
    std::int64_t count = 0;
  };

  std::size_t chunk_of(std::int64_t row) const noexcept;
  std::int64_t size_of(std::size_t chunk) const noexcept;
  void load(std::size_t chunk);
  void keep(std::int64_t row, std::int64_t position);

  Split& split_;
  std::vector<std::int64_t> chunks_;   // see Split::chunks
  Rows waiting_;                       // a batch of one row each
  std::vector<Rows::node_type> free_;  // memory of rows that were given, for the next ones
  std::unordered_map<std::size_t, Skipped> skipped_;  // by chunk; not of those skipped as a whole
  std::vector<std::int64_t> loading_;
  Batch chunk_;
};

}  // namespace quadgate
