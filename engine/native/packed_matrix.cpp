#include "engine/native/packed_matrix.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "engine/base/ceil_div.h"

namespace quadgate::native {

PackedMatrix::PackedMatrix(Shape shape) : shape_(std::move(shape)) {
  const auto listed = static_cast<std::int64_t>(shape_.rows.size());
  if (shape_.use == Use::forward) {
    across_ = listed;
    depth_ = shape_.parts * ceil_div(shape_.columns / shape_.parts, in_pair());
  } else {
    across_ = shape_.columns;
    depth_ = ceil_div(listed, in_pair());
  }
  panels_ = ceil_div(across_, shape_.width);
  const std::int64_t width = (panels_ - 1) * shape_.width + padded_width(panels_ - 1);
  packed_ = Buffer(static_cast<std::size_t>(depth_ * width));
}

std::int64_t PackedMatrix::padded_width(std::int64_t p) const noexcept {
  const std::int64_t lanes = shape_.kernels.lanes;
  return ceil_div(columns_of(p), lanes) * lanes;
}

void PackedMatrix::pack(std::int64_t first, std::int64_t count, const float* weights) {
  shape_.use == Use::forward ? pack_forward(first, count, weights)
                             : pack_backward(first, count, weights);
}

void PackedMatrix::pack_forward(std::int64_t first, std::int64_t count, const float* weights) {
  const std::int64_t lanes = shape_.kernels.lanes;
  const std::int64_t part = shape_.columns / shape_.parts;
  for (std::int64_t at = first; at < first + count; at += lanes) {
    const auto listed = std::span(shape_.rows)
                            .subspan(static_cast<std::size_t>(at),
                                     static_cast<std::size_t>(std::min(lanes, first + count - at)));
    const std::int64_t p = at / shape_.width;
    const std::int64_t width = padded_width(p);
    const float* from = weights + std::max<std::int64_t>(listed.front(), 0) * shape_.columns;
    float* to = packed_.data() + p * depth_ * shape_.width + at % shape_.width;
    for (std::int64_t i = 0; i < shape_.parts; ++i) {
      shape_.kernels.transpose(
          {.count = std::ranges::count_if(listed, [](auto row) { return row >= 0; }),
           .depth = part,
           .from = from + i * part,
           .from_stride = shape_.columns,
           .to = to + i * (depth_ / shape_.parts) * width,
           .to_stride = width});
    }
  }
}

void PackedMatrix::pack_backward(std::int64_t first, std::int64_t count, const float* weights) {
  for (std::int64_t p = 0; p < panels_; ++p) {
    shape_.kernels.gather(
        {.rows = count,
         .index = shape_.rows.data() + first,
         .from = weights + p * shape_.width,
         .from_stride = shape_.columns,
         .columns = columns_of(p),
         .to = packed_.data() + p * depth_ * shape_.width + first / in_pair() * padded_width(p)});
  }
}

}  // namespace quadgate::native
