#include "kernels/simd/avx2.h"

#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

void product_avx2(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                  const Output& c) noexcept {
  Product<Avx2Vec, 12>::run(rows, depth, a, b, c);
}

}  // namespace quadgate::kernels
