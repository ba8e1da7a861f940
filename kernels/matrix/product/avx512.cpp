#include "kernels/simd/avx512.h"

#include "kernels/simd/avx2.h"

#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

void product_avx512(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                    const Output& c) noexcept {
  // Of vectors of 8 lanes a core multiplies two at a time. To store less than one takes 12 cycles.
  constexpr std::int64_t kWorthIt = 32;
  if (c.columns > 0 && c.columns <= Avx2Vec::kLanes && depth >= kWorthIt) {
    return Product<Avx2Vec, 12, MultiplyAdd, Avx512Vec::kLanes>::run_vector(rows, depth, a, b, c);
  }
  Product<Avx512Vec, 24>::run(rows, depth, a, b, c);
}

}  // namespace quadgate::kernels
