#include "engine/native/packed_weight.h"

#include <utility>

namespace quadgate::native {

PackedWeight::PackedWeight(const Parameters& parameters, const ParameterSlice& slice, Plan plan)
    : values_(parameters.address(slice)),
      offset_(slice.offset),
      columns_(slice.shape[1]),
      width_(plan.forward_width),
      rows_(std::move(plan.rows)),
      forward_({.use = PackedMatrix::Use::forward,
                .columns = columns_,
                .parts = plan.parts,
                .rows = rows_,
                .width = plan.forward_width,
                .kernels = plan.kernels}) {
  if (plan.backward_width == 0) return;
  backward_ = PackedMatrix({.use = PackedMatrix::Use::backward,
                            .columns = columns_,
                            .rows = rows_,
                            .width = plan.backward_width,
                            .kernels = plan.kernels});
}

std::vector<FlatRange> PackedWeight::parameters(std::int64_t piece) const {
  const auto size = static_cast<std::size_t>(columns_);
  std::vector<FlatRange> ranges;
  for_each_row(piece, [&](std::int64_t row) {
    const std::size_t begin = offset_ + static_cast<std::size_t>(row) * size;
    const bool follows = !ranges.empty() && ranges.back().begin + ranges.back().size == begin;
    if (!follows) ranges.push_back({begin, 0});
    ranges.back().size += size;
  });
  return ranges;
}

void PackedWeight::pack(std::int64_t piece, const float* weights) {
  const std::int64_t first = piece * width_;
  forward_.pack(first, end(piece) - first, weights);
  if (backward_.panels() > 0) backward_.pack(first, end(piece) - first, weights);
}

void PackedWeight::add_pack_tasks(std::vector<PackTask>& tasks) {
  for (std::int64_t piece = 0; piece < pieces(); ++piece) {
    tasks.push_back({parameters(piece), [this, piece] { pack(piece, values()); }});
  }
}

}  // namespace quadgate::native
