#pragma once

#include <cstdint>

namespace quadgate::kernels {

enum class Isa : std::uint8_t;

/// Which values dropout keeps, and by what it multiplies them. It keeps value 4 i + j if the upper
/// 24 bits of word j of philox(key, {counter[0], counter[1], counter[2], first_block + i}) are at
/// least `threshold`. The last word of the counter wraps round.
struct DropoutMask {
  std::uint64_t key;
  std::uint32_t counter[3];
  std::uint32_t first_block;
  std::uint32_t threshold;  ///< at most 2^24: the probability to drop a value, times 2^24
  float scale;              ///< factor of kept values
};

/// Multiplies each of `count` values of `from` by `scale` or 0. `to` may be `from`. The arrays have
/// any alignment. `count` may be 0. Every ISA gives the same bits.
using DropoutKernel = void (*)(const DropoutMask& mask, std::int64_t count, const float* from,
                               float* to) noexcept;

/// The version for `isa`, which the machine must support.
DropoutKernel dropout_kernel(Isa isa) noexcept;

/// Sets to = from * factors for `count` values. `to` may be `from`.
using MultiplyKernel = void (*)(std::int64_t count, const float* factors, const float* from,
                                float* to) noexcept;

/// The version for `isa`, which the machine must support.
MultiplyKernel multiply_kernel(Isa isa) noexcept;

}  // namespace quadgate::kernels
