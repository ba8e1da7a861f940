#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace quadgate::native {

/// What there is beside the order of the rows.
struct PackedStepsOptions {
  /// Arrays of packed rows begin with batch_size more rows: the states before the first step of the
  /// sequence at each place.
  bool has_states = false;
  bool has_neighbours = true;   ///< `before` and `after`, if there are no slices
  std::int64_t slice_rows = 0;  ///< sequences of a slice; 0: all are one
};

/// How the pipeline lays out the steps of a batch, without padding (PyTorch's
/// PackedSequence). A packed row is one step of one sequence. Sequences are sorted by length, the
/// longest first, and all steps 0 lie before all steps 1. Of the rows a, b and c with 2, 3 and 1
/// steps:
///
///     step          |  t = 0  | t = 1 | 2 |
///     sequence      | b  a  c | b   a | b |     order: b a c
///     packed row    | 0  1  2 | 3   4 | 5 |     rows_at: 3 2 1, offset_at: 0 3 5
///     row before    | -  -  - | 0   1 | 3 |     for the direction of time
///     row after     | 3  4  - | 5   - | - |     for the reverse one
///
/// The order may be cut into slices of so many sequences, whose packed rows lie one slice after the
/// other. In slices of two sequences:
///
///     slice         | 0                     | 1       |
///     step          |  t = 0  | t = 1 | 2   |  t = 0  |
///     sequence      | b  a    | b   a | b   |  c      |
///     packed row    | 0  1    | 2   3 | 4   |  5      |
class PackedSteps {
 public:
  /// Plans for batches of at most `batch_size` rows of at most `seq_len` steps.
  PackedSteps(std::int64_t seq_len, std::int64_t batch_size,
              const PackedStepsOptions& options = {});

  /// The number of rows before packed row 0: batch_size or none.
  std::int64_t initial_rows() const noexcept { return initial_rows_; }

  /// Takes over the lengths of a batch from its Batch::offsets. The batch must fit the plan.
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
  /// The packed row at step t, 0 <= t < T, of the sequence at a place, which may have ended.
  std::int64_t row(std::int64_t place, std::int64_t t) const noexcept {
    const std::int64_t slice = place < slice_rows_ ? 0 : place / slice_rows_;
    return offsets(slice)[static_cast<std::size_t>(t)] + place - slice * slice_rows_;
  }
  /// The place and the step of a packed row.
  struct Position {
    std::int64_t place, t;
  };
  Position position_of(std::int64_t row) const noexcept;

  /// The slices of the order. They are all of it.
  std::int64_t slices() const noexcept { return (rows() + slice_rows_ - 1) / slice_rows_; }
  std::int64_t slice_of(std::int64_t place) const noexcept { return place / slice_rows_; }
  /// The place of a slice's first sequence.
  std::int64_t first_of(std::int64_t slice) const noexcept {
    return std::min(slice * slice_rows_, rows());
  }
  /// The packed rows of a slice's first sequence at each step, and where they end.
  std::span<const std::int64_t> offsets(std::int64_t slice) const noexcept {
    const auto count = static_cast<std::size_t>(seq_len() + 1);
    return std::span(offset_at_).subspan(static_cast<std::size_t>(slice) * count, count);
  }
  /// How many of a slice's sequences are alive at step t.
  std::int64_t rows_at(std::int64_t slice, std::int64_t t) const noexcept {
    return std::clamp(rows_at(t), first_of(slice), first_of(slice + 1)) - first_of(slice);
  }
  /// Row in the batch and length of the sequence at a place in the order.
  std::int64_t row_in_batch(std::int64_t place) const noexcept {
    return order_[static_cast<std::size_t>(place)];
  }
  std::int64_t length(std::int64_t place) const noexcept {
    return lengths_[static_cast<std::size_t>(place)];
  }

  /// For each packed row the row one step before and one step after, counted from the first row of
  /// the array. At the ends it is the initial row of the sequence, or -1 without initial rows.
  std::span<const std::int64_t> before() const noexcept { return before_; }
  std::span<const std::int64_t> after() const noexcept { return after_; }

  /// Cuts the sequences into `parts` ranges of about equally many steps: range `part` is
  /// [cut(part, parts), cut(part + 1, parts)).
  std::int64_t cut(std::int64_t part, std::int64_t parts) const noexcept;

 private:
  void find_neighbours();

  std::int64_t initial_rows_ = 0;
  bool has_neighbours_;
  std::int64_t slice_rows_;
  std::vector<std::int64_t> order_;
  std::vector<std::int64_t> lengths_;
  std::vector<std::int64_t> rows_at_;    // [T + 2], from t = -1
  std::vector<std::int64_t> offset_at_;  // [slices, T + 1]
  std::vector<std::int64_t> before_;
  std::vector<std::int64_t> after_;
};

}  // namespace quadgate::native
