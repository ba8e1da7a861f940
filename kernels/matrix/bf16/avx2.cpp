#include "kernels/simd/avx2.h"

#include "kernels/matrix/bf16/impl.h"
#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

void bf16_product_avx2(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                       const Output& c) noexcept {
  const FlushDenormals flush;
  Product<Avx2Vec16, 4, AddPairs>::run(rows, depth, a, b, c);
}

void bf16_gather_avx2(const Gather& gather) noexcept { bf16_gather_simd<Avx2Vec16>(gather); }

void bf16_transpose_avx2(const Transpose& transpose) noexcept {
  bf16_transpose_simd<Avx2Vec16>(transpose);
}

void bf16_rows_avx2(const Bf16Rows& rows) noexcept { bf16_rows_simd<Avx2Vec16>(rows); }

void bf16_interleave_avx2(const Bf16Interleave& rows) noexcept {
  bf16_interleave_simd<Avx2Vec16>(rows);
}

}  // namespace quadgate::kernels
