#include "kernels/matrix/product/product.h"

#include "kernels/base/isa.h"
#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

ProductKernel product_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return product_avx512;
    case Isa::avx2:
      return product_avx2;
    case Isa::scalar:
      break;
  }
  return product_scalar;
}

}  // namespace quadgate::kernels
