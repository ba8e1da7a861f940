#include "engine/native/packed_matrix.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "engine/base/ceil_div.h"
#include "engine/native/cell_kernels.h"
#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/matrix/bf16/bf16.h"
#include "kernels/matrix/pack/pack.h"
#include "kernels/matrix/product/product.h"

namespace quadgate::native {

PackedMatrix::PackedMatrix(Shape shape)
    : shape_(std::move(shape)),
      lanes_(kernels::vector_lanes(kernels::active_isa(), arithmetic_of(shape_.precision))) {
  const auto listed = static_cast<std::int64_t>(shape_.rows.size());
  if (shape_.use == Use::forward) {
    across_ = listed;
    depth_ = shape_.parts * ceil_div(shape_.columns / shape_.parts, in_word());
  } else {
    across_ = shape_.columns;
    depth_ = ceil_div(listed, in_word());
  }
  panels_ = ceil_div(across_, shape_.width);
  const std::int64_t width = (panels_ - 1) * shape_.width + padded_width(panels_ - 1);
  packed_ = Buffer(static_cast<std::size_t>(depth_ * width));
}

std::int64_t PackedMatrix::padded_width(std::int64_t p) const noexcept {
  return ceil_div(columns_of(p), lanes_) * lanes_;
}

void PackedMatrix::pack(std::int64_t first, std::int64_t count, const float* weights) {
  shape_.use == Use::forward ? pack_forward(first, count, weights)
                             : pack_backward(first, count, weights);
}

void PackedMatrix::pack_forward(std::int64_t first, std::int64_t count, const float* weights) {
  const auto isa = kernels::active_isa();
  const auto transpose = shape_.precision == Precision::bf16 ? kernels::bf16_transpose_kernel(isa)
                                                             : kernels::transpose_kernel(isa);
  const std::int64_t part = shape_.columns / shape_.parts;
  for (std::int64_t at = first; at < first + count; at += lanes_) {
    const auto listed =
        std::span(shape_.rows)
            .subspan(static_cast<std::size_t>(at),
                     static_cast<std::size_t>(std::min(lanes_, first + count - at)));
    const std::int64_t p = at / shape_.width;
    const std::int64_t width = padded_width(p);
    const float* from = weights + std::max<std::int64_t>(listed.front(), 0) * shape_.columns;
    float* to = packed_.data() + p * depth_ * shape_.width + at % shape_.width;
    for (std::int64_t i = 0; i < shape_.parts; ++i) {
      transpose({.count = std::ranges::count_if(listed, [](auto row) { return row >= 0; }),
                 .depth = part,
                 .from = from + i * part,
                 .from_stride = shape_.columns,
                 .to = to + i * (depth_ / shape_.parts) * width,
                 .to_stride = width});
    }
  }
}

void PackedMatrix::pack_backward(std::int64_t first, std::int64_t count, const float* weights) {
  const auto isa = kernels::active_isa();
  const auto gather = shape_.precision == Precision::bf16 ? kernels::bf16_gather_kernel(isa)
                                                          : kernels::gather_kernel(isa);
  for (std::int64_t p = 0; p < panels_; ++p) {
    gather(
        {.rows = count,
         .index = shape_.rows.data() + first,
         .from = weights + p * shape_.width,
         .from_stride = shape_.columns,
         .columns = columns_of(p),
         .to = packed_.data() + p * depth_ * shape_.width + first / in_word() * padded_width(p)});
  }
}

}  // namespace quadgate::native
