#include "kernels/simd/amx.h"

#include "kernels/matrix/bf16/impl.h"
#include "kernels/matrix/bf16/tile_product.h"
#include "kernels/simd/avx512.h"

namespace quadgate::kernels {

void bf16_tile_product_amx_bf16(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                                const Output& c) noexcept {
  TileProduct<AmxTiles, Avx512Vec>(depth, a, b, c).run(rows);
}

}  // namespace quadgate::kernels
