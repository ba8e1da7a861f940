#pragma once

#include <cstdint>

namespace quadgate::onednn {

/// A row-major matrix in memory: `columns` may be a view into wider rows, `stride` floats apart.
/// `transposed` reads it the other way round.
struct Matrix {
  const float* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
};

/// c [m, n] (rows n apart) = a [m, k] * b [k, n] + beta * c, in oneDNN's f32 GEMM. Call it from
/// within Arena::for_each, where it runs on the calling core. The bits of a result depend on the
/// shape, so callers keep theirs fixed.
void matmul(std::int64_t m, std::int64_t n, std::int64_t k, const Matrix& a, const Matrix& b,
            float beta, float* c);

}  // namespace quadgate::onednn
