#include "kernels/simd/avx512.h"

#include "kernels/matrix/bf16/impl.h"
#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

void bf16_product_avx512(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                         const Output& c) noexcept {
  const FlushDenormals flush;
  Product<Avx512Vec, 24, AddPairs>::run(rows, depth, a, b, c);
}

void bf16_gather_avx512(const Gather& gather) noexcept { bf16_gather_simd<Avx512Vec>(gather); }

void bf16_transpose_avx512(const Transpose& transpose) noexcept {
  bf16_transpose_simd<Avx512Vec>(transpose);
}

void bf16_rows_avx512(const Bf16Rows& rows) noexcept { bf16_rows_simd<Avx512Vec>(rows); }

void bf16_interleave_avx512(const Bf16Interleave& rows) noexcept {
  bf16_interleave_simd<Avx512Vec>(rows);
}

}  // namespace quadgate::kernels
