#pragma once

#include <cstdint>

namespace quadgate::onednn {

/// A row-major matrix in memory, rows `stride` floats apart. `transposed` swaps rows and columns.
struct Matrix {
  const float* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

/// c [m, n] (rows n apart) = a [m, k] * b [k, n] + beta * c, by oneDNN's f32 GEMM. Call it within
/// Arena::for_each: it runs on the calling core. The bits of a result depend on the shape, so that
/// callers keep theirs fixed.
void matmul(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b,
            float beta, float* c);

}  // namespace quadgate::onednn
