#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/model/batch.h"
#include "io/data/dataset.h"

namespace quadgate {

/// Reads a split a whole chunk at a time, each chunk once, and keeps those of its rows in memory
/// that have not been asked for. For a pass that asks for every row once, in an order that does not
/// jump far (see Shuffle::buffer): as many rows wait as that jumps.
class ChunkReader {
 public:
  /// `split` must outlive it.
  explicit ChunkReader(Split& split);

  /// Leaves out rows that nobody will ask for, before the first read.
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
  std::vector<Rows::node_type> free_;  // that have held rows: their memory holds the next ones
  std::unordered_map<std::size_t, Skipped> skipped_;  // of the chunks that have other rows as well
  std::vector<std::int64_t> loading_;
  Batch chunk_;
};

}  // namespace quadgate
