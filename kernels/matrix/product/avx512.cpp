#include "kernels/simd/avx512.h"

#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

void product_avx512(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                    const Output& c) noexcept {
  Product<Avx512Vec, 24>::run(rows, depth, a, b, c);
}

}  // namespace quadgate::kernels
