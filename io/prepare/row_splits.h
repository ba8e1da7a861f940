#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace quadgate {

/// Rows of the splits train, valid and test.
using SplitSizes = std::array<std::int64_t, 3>;

/// The split of every row of an input.
class RowSplits {
 public:
  /// All rows are of one split.
  explicit RowSplits(std::size_t split) : split_(split) {}
  /// Draws the rows of each split at random (Philox), `sizes` in number. `classes`, unless empty,
  /// holds the class of each row: each has its share of every split, and if it has two rows, one of
  /// them in train and one in valid; if three, one in test as well, so far as there are such
  /// splits, which may so become larger than `sizes`. Classes of a single row are drawn from as
  /// one. Throws InvalidArgument if there are 2^32 rows or more.
  RowSplits(const SplitSizes& sizes, std::uint64_t seed, std::vector<std::uint32_t> classes = {});

  std::size_t operator[](std::int64_t row) const {
    return splits_.empty() ? split_ : splits_[static_cast<std::size_t>(row)];
  }

 private:
  std::size_t split_ = 0;
  std::vector<std::uint8_t> splits_;  // by row, unless all are of one
};

}  // namespace quadgate
