#include "kernels/simd/scalar.h"

#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

// The specification. A vector is one float here, so a panel has at most four columns.
void product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                    const Output& c) noexcept {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < c.columns; ++column) {
      float& result = c.data[row * c.stride + column];
      float sum = c.start == Output::Start::add    ? result
                  : c.start == Output::Start::bias ? c.bias[column]
                                                   : 0.0F;
      for (std::int64_t k = 0; k < depth; ++k) {
        const float left =
            a.data[row * a.row_stride + k % a.run * a.step + k / a.run * a.run_stride];
        sum = std::fma(left, b[k * c.columns + column], sum);
      }
      result = sum;
    }
  }
}

}  // namespace quadgate::kernels
