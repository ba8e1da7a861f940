#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Independent chains of multiply-adds in fma_peak kernels. Latency times ports is 8 to 10 on the
/// cores we know. 16 AVX2 registers have room for 12 chains and two constants.
inline constexpr int kFmaPeakChains = 12;

/// Runs x = x * 0.5 + 1 on kFmaPeakChains vectors for `rounds` rounds. They begin at 3, 4, 5, ...
/// Returns the sum of all elements. It touches no memory, so its rate is the core's peak. The
/// caller takes the time. Without FMA (scalar) it multiplies and adds with SSE, which every x86-64
/// machine has.
using FmaPeakKernel = float (*)(std::int64_t rounds) noexcept;

/// The version for `isa`, which the machine must support: fma_peak_kernel(active_isa()).
FmaPeakKernel fma_peak_kernel(Isa isa) noexcept;

/// The same for products of bf16 pairs, of tiles of them with Isa::amx_bf16. A machine without the
/// instruction does that work with floats: there it is fma_peak_kernel.
FmaPeakKernel bf16_peak_kernel(Isa isa) noexcept;
std::int64_t bf16_peak_flops_per_round(Isa isa) noexcept;

/// Floating-point operations in one round of fma_peak_kernel. A multiply-add counts two.
std::int64_t fma_peak_flops_per_round(Isa isa) noexcept;

}  // namespace quadgate::kernels
