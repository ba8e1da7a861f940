#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "kernels/random/philox/philox.h"

namespace quadgate {

using kernels::philox;

/// What a random number is for. It is the first word of the counter: uses never share numbers.
enum class RandomUse : std::uint32_t {
  init,
  dropout,
  shuffle,
  split,
  orthogonal,
  sample,
  weight_dropout,
  shuffle_chunks,
  shuffle_buffer,
  shuffle_batches,
  folds
};

/// The `index`-th number of this use and round (the epoch, say), uniform in 0 to `count` - 1. It is
/// the remainder of 64 random bits: with a count of at most 2^40 its bias is below 2^-24.
std::uint64_t draw(std::uint64_t seed, RandomUse use, std::uint32_t round, std::uint64_t index,
                   std::uint64_t count) noexcept;

/// Uniform in [0, 1), an exact float of 24 random bits.
inline float to_unit_float(std::uint32_t word) noexcept {
  return static_cast<float>(word >> 8) * 0x1.0p-24F;
}

/// Four numbers from the normal distribution N(0, 1), by the method of Box and Muller ("A note on
/// the generation of random normal deviates", 1958).
std::array<float, 4> to_normal_floats(const std::array<std::uint32_t, 4>& words) noexcept;

/// Shuffles `items` (Fisher-Yates). The order depends only on `seed`, `use` and `round` (the epoch,
/// say).
void shuffle(std::span<std::int64_t> items, std::uint64_t seed, RandomUse use, std::uint32_t round);
void shuffle(std::span<std::uint32_t> items, std::uint64_t seed, RandomUse use,
             std::uint32_t round);

}  // namespace quadgate
