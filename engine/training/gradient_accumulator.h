#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/sparse_rows.h"
#include "engine/threads/arena.h"

namespace quadgate {

/// The sum of several batches' gradients, for one update over all of them. It adds in the order of
/// the batches and of the array: the same bits at every number of threads.
class GradientAccumulator {
 public:
  /// For flat gradients of `size` elements; none yet.
  explicit GradientAccumulator(std::size_t size);

  /// Batches in the sum.
  std::int64_t count() const noexcept { return count_; }
  /// The sum; without meaning while there are none.
  std::span<const float> sum() const noexcept { return sum_.span(); }

  /// Adds the gradients of one batch, and keeps the global (Euclidean) norm of the new sum. Of a
  /// `table` at their start, the rows that are present in one of the batches are in the sum's.
  void add(Arena& arena, std::span<const float> gradients, const SparseRows& table = {});
  SparseRows table() const noexcept { return {table_.size, table_.width, rows_}; }
  double norm() const noexcept { return norm_; }
  /// Begins anew.
  void clear() noexcept;

 private:
  void add_rows(const SparseRows& table);

  Buffer sum_;
  SparseRows table_;
  std::vector<std::int32_t> rows_;  // present in the sum
  std::vector<bool> has_row_;       // [rows of the table]
  std::vector<double> squares_;     // of each tile of the sum
  double norm_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace quadgate
