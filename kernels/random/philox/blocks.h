#pragma once

// For the files of one instruction set, like simd/math.h.

#include <cstdint>

namespace quadgate::kernels {
namespace {

/// Philox for several blocks at once, or, with Words of one lane, for one. A lane of 64 bits has a
/// word of a block in its lower half, so a product fits its lane. The upper halves count for
/// nothing.
template <typename Words>
struct PhiloxBlocks {
  Words words[4];

  void encrypt(std::uint64_t key) noexcept {
    constexpr int kRounds = 10;
    const Words multipliers[2] = {Words::broadcast(0xD2511F53), Words::broadcast(0xCD9E8D57)};
    std::uint32_t keys[2] = {static_cast<std::uint32_t>(key),
                             static_cast<std::uint32_t>(key >> 32)};
#pragma GCC unroll 10
    for (int round = 0; round < kRounds; ++round) {
      const Words product0 = multiply(multipliers[0], words[0]);
      const Words product1 = multiply(multipliers[1], words[2]);
      words[0] = three_way_xor(upper(product1), words[1], Words::broadcast(keys[0]));
      words[1] = product1;
      words[2] = three_way_xor(upper(product0), words[3], Words::broadcast(keys[1]));
      words[3] = product0;
      keys[0] += 0x9E3779B9;
      keys[1] += 0xBB67AE85;
    }
  }
};

}  // namespace
}  // namespace quadgate::kernels
