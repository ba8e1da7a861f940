#include "kernels/fma_peak/fma_peak.h"

#include "kernels/base/isa.h"
#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {

FmaPeakKernel fma_peak_kernel(Isa isa) noexcept {
  switch (isa) {
    case Isa::amx_bf16:
    case Isa::avx512_bf16:
    case Isa::avx512:
      return fma_peak_avx512;
    case Isa::avx2:
      return fma_peak_avx2;
    case Isa::scalar:
      break;
  }
  return fma_peak_scalar;
}

std::int64_t fma_peak_flops_per_round(Isa isa) noexcept {
  const std::int64_t lanes = isa >= Isa::avx512 ? 16 : isa == Isa::avx2 ? 8 : 4;
  return 2 * lanes * kFmaPeakChains;
}

FmaPeakKernel bf16_peak_kernel(Isa isa) noexcept {
  if (isa == Isa::amx_bf16) return bf16_peak_amx_bf16;
  return isa == Isa::avx512_bf16 ? bf16_peak_avx512_bf16 : fma_peak_kernel(isa);
}

std::int64_t bf16_peak_flops_per_round(Isa isa) noexcept {
  if (isa == Isa::amx_bf16) return kTilePeakFlopsPerRound;
  return fma_peak_flops_per_round(isa) * (isa == Isa::avx512_bf16 ? 2 : 1);
}

}  // namespace quadgate::kernels
