#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace quadgate::native {

/// How the native backend lays out the steps of a batch: rows sorted by length, longest first, and
/// all rows that are alive at step 0 lie before those at step 1, and so on, without padding
/// (PyTorch's PackedSequence). A packed row is one step of one sequence.
class PackedSteps {
 public:
  /// Plans for batches of at most `batch_size` rows of at most `seq_len` steps. If `has_states`,
  /// arrays of packed rows have batch_size rows in front, for the states before the first step of
  /// the sequence at each place.
  PackedSteps(std::int64_t seq_len, std::int64_t batch_size, bool has_states = false);

  /// The number of rows in front of packed row 0.
  std::int64_t front() const noexcept { return front_; }

  /// Takes over the lengths of a batch, which must fit the plan, from where its rows begin and end
  /// (see Batch::offsets).
  void assign(std::span<const std::int64_t> offsets);

  /// The number of sequences, N.
  std::int64_t rows() const noexcept { return static_cast<std::int64_t>(order_.size()); }
  /// The longest length, T.
  std::int64_t seq_len() const noexcept { return static_cast<std::int64_t>(rows_at_.size()) - 2; }
  /// The sum of the lengths.
  std::int64_t size() const noexcept { return offset_at_.back(); }

  /// The number of sequences alive at step t, -1 <= t <= T; 0 before the first and after the last.
  std::int64_t rows_at(std::int64_t t) const noexcept {
    return rows_at_[static_cast<std::size_t>(t + 1)];
  }
  /// The packed row of the first sequence at step t, 0 <= t < T.
  std::int64_t offset_at(std::int64_t t) const noexcept {
    return offset_at_[static_cast<std::size_t>(t)];
  }
  /// The sequence's row in the batch, and its length, by its place among the sorted.
  std::int64_t row_in_batch(std::int64_t place) const noexcept {
    return order_[static_cast<std::size_t>(place)];
  }
  std::int64_t length(std::int64_t place) const noexcept {
    return lengths_[static_cast<std::size_t>(place)];
  }

  /// For each packed row, the row one step before and one step after, counted from the first row in
  /// front of packed row 0; where there is none, the one in front for its sequence, or -1.
  std::span<const std::int64_t> before() const noexcept { return before_; }
  std::span<const std::int64_t> after() const noexcept { return after_; }

  /// Cuts the sequences into `parts` ranges of about equally many steps: range `part` is
  /// [cut(part, parts), cut(part + 1, parts)).
  std::int64_t cut(std::int64_t part, std::int64_t parts) const noexcept;

 private:
  std::int64_t front_ = 0;
  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> rows_at_;    // [T + 2], from t = -1
  std::vector<std::int64_t> offset_at_;  // [T + 1]
  std::vector<std::int64_t> before_;
  std::vector<std::int64_t> after_;
};

}  // namespace quadgate::native
