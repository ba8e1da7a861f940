#include "kernels/matrix/pack/impl.h"

namespace quadgate::kernels {

// The specification. A vector is one float, so nothing is filled up.

void gather_scalar(const Gather& gather) noexcept {
  float* to = gather.to;
  for (std::int64_t first = 0; first < gather.columns; first += kPanelVectors) {
    const std::int64_t end =
        first + kPanelVectors < gather.columns ? first + kPanelVectors : gather.columns;
    for (std::int64_t k = 0; k < gather.rows; ++k) {
      const std::int64_t row = gather.index == nullptr ? k : gather.index[k];
      for (std::int64_t column = first; column < end; ++column) {
        *to++ = row < 0 ? 0.0F : gather.from[row * gather.from_stride + column];
      }
    }
  }
}

void transpose_scalar(const Transpose& transpose) noexcept {
  for (std::int64_t k = 0; k < transpose.depth; ++k) {
    transpose.to[k * transpose.to_stride] = transpose.count == 0 ? 0.0F : transpose.from[k];
  }
}

}  // namespace quadgate::kernels
