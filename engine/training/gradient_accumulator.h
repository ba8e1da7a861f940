#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/gradient.h"
#include "engine/threads/arena.h"

namespace quadgate {

/// The sum of several batches' gradients, for one update over all of them. It adds in the order of
/// the batches and of the array, so the bits are the same at every number of threads.
class GradientAccumulator {
 public:
  /// For flat gradients of `size` elements; none yet.
  explicit GradientAccumulator(std::size_t size);

  /// Batches in the sum.
  std::int64_t count() const noexcept { return count_; }
  /// The sum. Its sparse rows are those that any of the batches has. It has no meaning while there
  /// are no batches.
  Gradient sum() const noexcept {
    return {.values = sum_.span(), .norm = norm_, .rows = {table_.size, table_.width, rows_}};
  }

  /// Adds the gradient of one batch.
  void add(Arena& arena, const Gradient& gradient);
  /// Empties the sum.
  void clear() noexcept;

 private:
  void add_rows(const SparseRows& table);

  Buffer sum_;
  SparseRows table_;                // without its rows
  std::vector<std::int32_t> rows_;  // present in the sum
  std::vector<bool> has_row_;       // [rows of the table]
  std::vector<double> squares_;     // of each tile of the sum
  double norm_ = 0;
  std::int64_t count_ = 0;
};

}  // namespace quadgate
