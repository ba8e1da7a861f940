#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

#include "kernels/base/isa.h"
#include "kernels/matrix/sum_of_squares/impl.h"

namespace quadgate::kernels {

SumOfSquaresKernel sum_of_squares_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return sum_of_squares_avx512;
    case Isa::avx2:
      return sum_of_squares_avx2;
    case Isa::scalar:
      break;
  }
  return sum_of_squares_scalar;
}

double sum_of_squares(SumOfSquaresKernel kernel, const float* values, std::int64_t size) noexcept {
  constexpr std::int64_t kColumns = 64;
  const std::int64_t rest = size % kColumns;
  return kernel(size / kColumns, kColumns, values, kColumns) +
         kernel(1, rest, values + size - rest, kColumns);
}

}  // namespace quadgate::kernels
