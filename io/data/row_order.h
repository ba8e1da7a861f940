#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/base/random.h"
#include "io/data/dataset.h"
#include "io/data/shuffle.h"

namespace quadgate {

/// Which rows of a split make the batches of an epoch. It keeps row numbers, not their data: of the
/// chunks and the buffer if there is one, else, if it shuffles, of all rows.
class RowOrder {
 public:
  static constexpr std::int64_t kBucketBatches = 64;

  /// Without `shuffle` rows come in the order of the split. `split` must outlive this. Throws
  /// InvalidArgument unless batch_size >= 1 and shuffle->buffer >= 0.
  RowOrder(const Split& split, std::int64_t batch_size, const std::optional<Shuffle>& shuffle);

  /// Batches of the whole epoch. All but the last have batch_size rows.
  std::int64_t num_batches() const noexcept { return num_batches_; }

  /// Replaces `rows` with those of the next batch. False after the last, with `rows` untouched.
  bool next(std::vector<std::int64_t>& rows);

 private:
  std::uint64_t draw(RandomUse use, std::uint64_t index, std::size_t count) const noexcept;
  std::int64_t next_row();
  std::int64_t next_of_chunks();
  void fill_window();
  void next_of_window(std::vector<std::int64_t>& rows);

  const Split& split_;
  std::int64_t batch_size_;
  std::int64_t num_batches_;
  std::optional<Shuffle> shuffle_;
  std::int64_t batches_ = 0;  // given so far
  std::int64_t rows_ = 0;     // given so far, or in the window

  std::vector<std::int64_t> order_;  // all rows, or the chunks, shuffled

  std::vector<std::int64_t> chunks_;  // with a buffer: see Split::chunks
  std::size_t chunk_ = 0;             // place in order_ of the chunk that fills the buffer
  std::int64_t in_chunk_ = 0;         // rows of that chunk that were in the buffer
  std::vector<std::int64_t> buffer_;

  // By length: what is left of the window, as (length, position, row).
  std::vector<std::array<std::int64_t, 3>> window_;
};

}  // namespace quadgate
