#include "kernels/simd/amx.h"

#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {

float bf16_peak_amx_bf16(std::int64_t rounds) noexcept { return bf16_peak_tiles<AmxTiles>(rounds); }

}  // namespace quadgate::kernels
