#pragma once

#include <cstdint>
#include <vector>

namespace quadgate {

/// One minibatch of N sequences, row after row without padding. Of rows with 3, 1 and 2 steps:
///
///     x        | row 0, steps 0 1 2 | row 1, 0 | row 2, 0 1 |
///     offsets    0                    3          4            6
///
/// The vectors keep their capacity, so that a loop over batches stops allocating after the largest
/// one.
struct Batch {
  std::vector<float> x;               ///< [sum of lengths, I]: the steps of row 0, of row 1, ...
  std::vector<std::int32_t> tokens;   ///< [sum of lengths] instead of x, for an embedding
  std::vector<std::int64_t> offsets;  ///< [N + 1]: row n is steps offsets[n] .. offsets[n + 1]
  std::vector<std::int64_t> labels;   ///< [N], or [sum of lengths] for tagging; empty: regression
  std::vector<float> targets;         ///< [N, O] for regression; empty: classification, tagging
  /// Where these rows are one rank's share of a batch: how many rows that has. 0: these are all.
  std::int64_t whole_rows = 0;

  /// N, the number of sequences.
  std::int64_t rows() const noexcept {
    return offsets.empty() ? 0 : static_cast<std::int64_t>(offsets.size()) - 1;
  }
  /// The sum of the lengths.
  std::int64_t steps() const noexcept { return offsets.empty() ? 0 : offsets.back(); }
};

/// Gives a trainer its batches, in order.
class BatchSource {
 public:
  virtual ~BatchSource() = default;

  /// Replaces `batch` with the next one. False after the last, with `batch` untouched. Throws
  /// FileError or DataError if the data cannot be read or used.
  virtual bool next(Batch& batch) = 0;
};

}  // namespace quadgate
