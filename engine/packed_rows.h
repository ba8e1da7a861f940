#pragma once

#include <cstdint>

namespace quadgate {

/// Rows of features in memory, `stride` floats apart.
struct PackedRows {
  float* data = nullptr;
  std::int64_t stride = 0;

  float* at(std::int64_t row) const noexcept { return data + row * stride; }
};

}  // namespace quadgate
