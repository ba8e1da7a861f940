#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace quadgate::kernels {

/// The instruction sets that kernels are written for, each holding the ones before it.
enum class Isa : std::uint8_t {
  scalar,       ///< every x86-64 machine
  avx2,         ///< AVX2 and FMA
  avx512,       ///< AVX-512 F, BW, DQ and VL
  avx512_bf16,  ///< also the dot product of bf16 pairs, AVX512_BF16
  amx_bf16,     ///< also that of tiles of them, AMX-TILE and AMX-BF16
};

/// The best instruction set that this processor and its operating system support. The first call
/// asks the system for the tile registers of amx_bf16, once for the process.
Isa detected_isa() noexcept;

/// The instruction set to run with: the smaller of the detected one and the cap.
Isa active_isa() noexcept;

/// Caps active_isa() from now on, in all threads. `Isa::amx_bf16` lifts the cap.
void cap_isa(Isa cap) noexcept;

/// "scalar", "avx2", "avx512", "avx512_bf16" or "amx_bf16".
std::string_view to_string(Isa isa) noexcept;

/// The inverse of to_string; empty for any other text.
std::optional<Isa> parse_isa(std::string_view text) noexcept;

}  // namespace quadgate::kernels
