#include "kernels/simd/avx2.h"

#include "kernels/matrix/sum_of_squares/impl.h"

namespace quadgate::kernels {

double sum_of_squares_avx2(std::int64_t rows, std::int64_t columns, const float* values,
                           std::int64_t stride) noexcept {
  return Squares<Avx2Vec16>::run(rows, columns, values, stride);
}

}  // namespace quadgate::kernels
