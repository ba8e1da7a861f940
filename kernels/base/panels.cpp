#include "kernels/base/panels.h"

namespace quadgate::kernels {

std::int64_t vector_lanes(Isa isa, Arithmetic arithmetic) noexcept {
  if (arithmetic == Arithmetic::consistent) return 16;
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
