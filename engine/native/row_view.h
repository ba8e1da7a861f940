#pragma once

#include <cstdint>

namespace quadgate::native {

/// Rows of features in memory, `stride` floats apart.
struct RowView {
  float* data = nullptr;
  std::int64_t stride = 0;

  float* at(std::int64_t row) const noexcept { return data + row * stride; }
};

/// What goes into a layer or comes out of it, for all packed rows.
struct LayerRows {
  RowView rows;
  RowView pairs;  ///< in bf16 the same once more, rounded, in pairs (kernels/matrix/bf16/bf16.h)
  std::int64_t pair_parts_stride = 0;  ///< pairs lie in a part for each direction, so far apart
};

}  // namespace quadgate::native
