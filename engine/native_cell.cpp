#include "engine/native_cell.h"

#include "kernels/isa.h"
#include "kernels/lstm/lstm.h"
#include "kernels/product/product.h"

namespace quadgate {

NativeCell native_cell(Precision precision) {
  const auto kind =
      precision == Precision::bf16 ? kernels::PanelKind::same : kernels::PanelKind::fast;
  const auto isa = kernels::active_isa();
  const std::int64_t lanes = kernels::vector_lanes(isa, kind);
  return {.lanes = lanes,
          .units = lanes,
          .ih = {0, {0, 1, 2, 3}},
          .hh = {0, {0, 1, 2, 3}},
          .writes_dh = false,
          .product = kernels::product_kernel(isa, kind),
          .forward = kernels::lstm_forward_kernel(isa, kind),
          .backward = kernels::lstm_backward_kernel(isa, kind)};
}

}  // namespace quadgate
