#include "kernels/simd/avx2.h"

#include "kernels/optimizers/rmsprop/impl.h"

namespace quadgate::kernels {

void rmsprop_avx2(std::int64_t n, const RmspropArgs& args, const RmspropArrays& arrays) noexcept {
  rmsprop_simd<Avx2Vec>(n, args, arrays);
}

}  // namespace quadgate::kernels
