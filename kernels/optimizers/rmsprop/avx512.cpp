#include "kernels/simd/avx512.h"

#include "kernels/optimizers/rmsprop/impl.h"

namespace quadgate::kernels {

void rmsprop_avx512(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept {
  rmsprop_simd<Avx512Vec>(n, args, arrays);
}

}  // namespace quadgate::kernels
