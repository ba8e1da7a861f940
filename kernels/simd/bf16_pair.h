#pragma once

#include <bit>
#include <cstdint>

namespace quadgate::kernels {

/// Two bf16 numbers that follow each other in a sum. Each is a float's upper 16 bits. A lane of a
/// vector holds one pair, `std::bit_cast<float>(pair)`:
///
///     bit of the lane   31           16 15            0
///                      |  number k + 1 |   number k   |
struct Bf16Pair {
  std::uint16_t low;   ///< number k
  std::uint16_t high;  ///< number k + 1
};

static_assert(sizeof(Bf16Pair) == sizeof(float) && std::endian::native == std::endian::little);

}  // namespace quadgate::kernels
