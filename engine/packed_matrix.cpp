#include "engine/packed_matrix.h"

#include <algorithm>
#include <cstddef>
#include <utility>

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
  constexpr std::int64_t kBlock = 32;  // so that the lines written stay in the cache
  const std::int64_t width = padded_width(p);
  const auto rows = rows_.begin() + p * width_;
  for (std::int64_t first = 0; first < depth_; first += kBlock) {
    const std::int64_t end = std::min(first + kBlock, depth_);
    for (std::int64_t column = 0; column < columns_of(p); ++column) {
      float* const to = packed_.data() + p * depth_ * width_ + column;
      const std::int64_t row = rows[column];
      if (row < 0) continue;  // the buffer was made zero
      const float* const from = weights_ + row * columns_;
      for (std::int64_t k = first; k < end; ++k) to[k * width] = from[k];
    }
  }
}

void PackedMatrix::pack_backward(std::int64_t p) {
  const std::int64_t width = padded_width(p);
  float* to = packed_.data() + p * depth_ * width_;
  for (const std::int64_t row : rows_) {
    if (row >= 0) std::copy_n(weights_ + row * columns_ + p * width_, columns_of(p), to);
    to += width;
  }
}

}  // namespace quadgate
