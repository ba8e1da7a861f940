#include "kernels/base/panels.h"

#include <atomic>

namespace quadgate::kernels {
namespace {

std::atomic<bool> tiles_everywhere{false};

}  // namespace

Arithmetic fastest_bf16(Isa isa) noexcept {
  const bool everywhere = tiles_everywhere.load(std::memory_order_relaxed);
  return isa == Isa::amx_bf16 || everywhere ? Arithmetic::tiles : Arithmetic::pairs;
}

void prefer_tiles(bool everywhere) noexcept {
  tiles_everywhere.store(everywhere, std::memory_order_relaxed);
}

std::int64_t vector_lanes(Isa isa, Arithmetic arithmetic) noexcept {
  if (arithmetic != Arithmetic::floats) return 16;
  switch (isa) {
    case Isa::amx_bf16:
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
