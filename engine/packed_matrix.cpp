#include "engine/packed_matrix.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "kernels/isa.h"
#include "kernels/pack/pack.h"

namespace quadgate {

PackedMatrix::PackedMatrix(Use use, const float* weights, std::int64_t columns,
                           std::vector<std::int64_t> rows, std::int64_t width, std::int64_t lanes)
    : use_(use),
      weights_(weights),
      columns_(columns),
      rows_(std::move(rows)),
      width_(width),
      lanes_(lanes) {
  const auto listed = static_cast<std::int64_t>(rows_.size());
  across_ = use == Use::forward ? listed : columns;
  depth_ = use == Use::forward ? columns : listed;
  panels_ = (across_ + width - 1) / width;
  const std::int64_t floats = (panels_ - 1) * depth_ * width_ + depth_ * padded_width(panels_ - 1);
  packed_ = Buffer(static_cast<std::size_t>(floats));
}

std::int64_t PackedMatrix::padded_width(std::int64_t p) const noexcept {
  return (columns_of(p) + lanes_ - 1) / lanes_ * lanes_;
}

void PackedMatrix::pack(std::int64_t p) {
  use_ == Use::forward ? pack_forward(p) : pack_backward(p);
}

void PackedMatrix::pack_forward(std::int64_t p) {
  const std::int64_t width = padded_width(p);
  const auto rows = std::span(rows_).subspan(static_cast<std::size_t>(p * width_));
  const auto transpose = kernels::transpose_kernel(kernels::active_isa());
  float* const to = packed_.data() + p * depth_ * width_;
  for (std::int64_t column = 0; column < columns_of(p); column += lanes_) {
    const auto count =
        std::min(static_cast<std::size_t>(lanes_), rows.size() - static_cast<std::size_t>(column));
    const auto listed = rows.subspan(static_cast<std::size_t>(column), count);
    transpose({.count = std::ranges::count_if(listed, [](auto row) { return row >= 0; }),
               .depth = depth_,
               .from = weights_ + std::max<std::int64_t>(listed.front(), 0) * columns_,
               .from_stride = columns_,
               .to = to + column,
               .to_stride = width});
  }
}

void PackedMatrix::pack_backward(std::int64_t p) {
  const auto gather = kernels::gather_kernel(kernels::active_isa());
  gather({.rows = depth_,
          .index = rows_.data(),
          .from = weights_ + p * width_,
          .from_stride = columns_,
          .columns = columns_of(p),
          .to = packed_.data() + p * depth_ * width_});
}

}  // namespace quadgate
