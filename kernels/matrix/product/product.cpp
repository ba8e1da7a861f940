#include "kernels/matrix/product/product.h"

#include "kernels/base/isa.h"
#include "kernels/base/panels.h"
#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

ProductKernel product_kernel(Isa isa, Arithmetic arithmetic) noexcept {
  const bool consistent = arithmetic == Arithmetic::consistent;
  switch (isa) {
    case Isa::avx512_bf16:
    case Isa::avx512:
      return product_avx512;
    case Isa::avx2:
      return consistent ? product_avx2_16 : product_avx2;
    case Isa::scalar:
      break;
  }
  return consistent ? product_scalar_16 : product_scalar;
}

}  // namespace quadgate::kernels
