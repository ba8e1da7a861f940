#include "kernels/matrix/product/product.h"

#include "kernels/base/isa.h"
#include "kernels/matrix/product/impl.h"

namespace quadgate::kernels {

ProductKernel product_kernel(Isa isa, PanelKind kind) noexcept {
  const bool same = kind == PanelKind::same;
  switch (isa) {
    case Isa::avx512_bf16:
    case Isa::avx512:
      return product_avx512;
    case Isa::avx2:
      return same ? product_avx2_16 : product_avx2;
    case Isa::scalar:
      break;
  }
  return same ? product_scalar_16 : product_scalar;
}

std::int64_t vector_lanes(Isa isa, PanelKind kind) noexcept {
  if (kind == PanelKind::same) return 16;
  switch (isa) {
    case Isa::avx512_bf16:
    case Isa::avx512:
      return 16;
    case Isa::avx2:
      return 8;
    case Isa::scalar:
      break;
  }
  return 1;
}

}  // namespace quadgate::kernels
