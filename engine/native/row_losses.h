#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/loss.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

/// The labels of the rows of a head's outputs, one at every step or of each sequence, and the
/// losses and predictions of these rows.
class RowLosses {
 public:
  /// For at most `capacity` rows.
  RowLosses(bool at_every_step, std::int64_t capacity);

  /// Takes over the labels of a member's share of the sequences.
  void load(const WorkRange& work);
  /// Of each row.
  const std::int64_t* labels() const noexcept { return labels_.data(); }

  /// The rows from `first` on, of these logits.
  Loss::Rows rows(std::int64_t first, std::int64_t rows, const float* logits) noexcept;

 private:
  bool at_every_step_;
  std::vector<std::int64_t> labels_, predictions_;
  std::vector<float> losses_;
};

}  // namespace quadgate::native
