#pragma once

#include <array>
#include <cstdint>

namespace quadgate::kernels {

/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy
/// as 1, 2, 3" (SC 2011). It gives four uniform 32-bit words for a 128-bit counter under a 64-bit
/// key. It is a pure function: it gives the same numbers in any order and on any core.
std::array<std::uint32_t, 4> philox(std::uint64_t key,
                                    const std::array<std::uint32_t, 4>& counter) noexcept;

}  // namespace quadgate::kernels
