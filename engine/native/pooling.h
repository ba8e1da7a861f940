#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/native/done.h"
#include "engine/native/row_view.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

class Head;

/// Pools the features of a sequence's steps into one row, and goes back (see Pooling). Each member
/// of a team takes a share of the sequences.
class SequencePooling {
 public:
  /// For at most `batch_size` sequences.
  SequencePooling(const ModelConfig& model, std::int64_t batch_size);

  /// [N, features], by the sequences' places.
  RowView pooled() noexcept { return {pooled_.data(), features_}; }
  /// The derivative of `pooled`. The head fills it, and `backward` reads it.
  RowView d_pooled() noexcept { return {d_pooled_.data(), features_}; }

  /// Fills `pooled` from the last layer's output y.
  void forward(const WorkRange& work, const RowView& y);
  /// Fills the derivative of y from d_pooled.
  void backward(const Done<Head, Step::loss>& losses, const RowView& dy);

 private:
  /// Calls body(packed row of y, first feature) for each part of a sequence's final states.
  template <typename Body>
  void for_each_final_state(const PackedSteps& steps, std::int64_t place, Body body) const;
  void find_largest(const PackedSteps& steps, std::int64_t place, const RowView& y);

  Pooling pooling_;
  bool bidirectional_;
  std::int64_t h_size_;
  std::int64_t features_;
  Buffer pooled_, d_pooled_;
  std::vector<std::int32_t> largest_at_;  // for max: the step of each of `pooled`
};

}  // namespace quadgate::native
