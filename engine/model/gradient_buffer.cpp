#include "engine/model/gradient_buffer.h"

namespace quadgate {

SparseRows sparse_table(const Parameters& parameters) noexcept {
  // Every row of a tied embedding has a gradient: that of the head.
  const ModelConfig& config = parameters.config();
  if (!config.has_embedding() || !config.embedding.sparse || parameters.tied()) return {};
  return {.size = parameters.slices()[1].offset, .width = config.input_size()};
}

GradientBuffer::GradientBuffer(const Parameters& parameters)
    : table_(sparse_table(parameters)), own_(parameters.size()) {}

Gradient GradientBuffer::view(double norm) const noexcept {
  SparseRows rows = table_;
  if (rows.size > 0) rows.present = present_rows_;
  return {.values = callers_.empty() ? own_.span() : callers_, .norm = norm, .rows = rows};
}

}  // namespace quadgate
