#include "engine/native/row_losses.h"

#include <cstddef>

namespace quadgate::native {

RowLosses::RowLosses(bool at_every_step, std::int64_t capacity)
    : at_every_step_(at_every_step),
      labels_(static_cast<std::size_t>(capacity)),
      predictions_(labels_.size()),
      losses_(labels_.size()) {}

void RowLosses::load(const WorkRange& work) {
  const Batch& batch = work.pass.batch;
  const auto share = work.member.share(work.last - work.first);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const auto in_batch = static_cast<std::size_t>(work.pass.steps.row_in_batch(place));
    if (!at_every_step_) {
      labels_[static_cast<std::size_t>(place)] = batch.labels[in_batch];
      continue;
    }
    const std::int64_t* from = batch.labels.data() + batch.offsets[in_batch];
    for (std::int64_t t = 0; t < work.pass.steps.length(place); ++t) {
      labels_[static_cast<std::size_t>(work.pass.steps.row(place, t))] = from[t];
    }
  }
}

Loss::Rows RowLosses::rows(std::int64_t first, std::int64_t rows, const float* logits) noexcept {
  return {.rows = rows,
          .logits = logits,
          .labels = labels_.data() + first,
          .losses = losses_.data() + first,
          .predictions = predictions_.data() + first};
}

}  // namespace quadgate::native
