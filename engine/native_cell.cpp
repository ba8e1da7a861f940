#include "engine/native_cell.h"

#include "kernels/isa.h"
#include "kernels/lstm/lstm.h"
#include "kernels/product/product.h"

namespace quadgate {

NativeCell native_cell() {
  const auto isa = kernels::active_isa();
  const std::int64_t lanes = kernels::vector_lanes(isa);
  return {.lanes = lanes,
          .units = lanes,
          .ih = {0, {0, 1, 2, 3}},
          .hh = {0, {0, 1, 2, 3}},
          .writes_dh = false,
          .forward = kernels::lstm_forward_kernel(isa),
          .backward = kernels::lstm_backward_kernel(isa)};
}

}  // namespace quadgate
