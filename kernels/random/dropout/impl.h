#pragma once

#include <cstdint>

#include "kernels/random/dropout/dropout.h"
#include "kernels/random/philox/blocks.h"

namespace quadgate::kernels {

void dropout_scalar(const DropoutMask& mask, std::int64_t count, const float* from,
                    float* to) noexcept;
void dropout_avx2(const DropoutMask& mask, std::int64_t count, const float* from,
                  float* to) noexcept;
void dropout_avx512(const DropoutMask& mask, std::int64_t count, const float* from,
                    float* to) noexcept;

void multiply_scalar(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept;
void multiply_avx2(std::int64_t count, const float* factors, const float* from, float* to) noexcept;
void multiply_avx512(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept;

namespace {

/// dropout_scalar with the vectors of an instruction set: `Vec` of floats and, as wide, `Words`.
template <typename Vec, typename Words>
void drop(const DropoutMask& mask, std::int64_t count, const float* from, float* to) noexcept {
  constexpr std::int64_t kBlocks = Vec::kLanes / 2;  // at once: two vectors of words
  const Vec scale = Vec::broadcast(mask.scale);
  const Vec zero = Vec::broadcast(0.0F);
  PhiloxBlocks<Words> counters{
      {Words::broadcast(mask.counter[0]), Words::broadcast(mask.counter[1]),
       Words::broadcast(mask.counter[2]), Words::blocks(mask.first_block)}};
  for (std::int64_t i = 0; i < count; i += 4 * kBlocks) {
    PhiloxBlocks<Words> blocks = counters;
    counters.words[3] = counters.words[3] + Words::broadcast(kBlocks);
    blocks.encrypt(mask.key);
    const Words pairs[2] = {join(blocks.words[0], blocks.words[1]),
                            join(blocks.words[2], blocks.words[3])};
    const Vec factors[2] = {
        select(kept(lower_pairs(pairs[0], pairs[1]), mask.threshold), scale, zero),
        select(kept(upper_pairs(pairs[0], pairs[1]), mask.threshold), scale, zero)};
#pragma GCC unroll 2
    for (std::int64_t half = 0; half < 2; ++half) {
      const std::int64_t first = i + half * Vec::kLanes;
      if (first + Vec::kLanes <= count) {
        (Vec::load(from + first) * factors[half]).store(to + first);
      } else if (first < count) {
        const auto rest = Vec::first(count - first);
        (Vec::load(from + first, rest) * factors[half]).store(to + first, rest);
      }
    }
  }
}

/// multiply_scalar with vectors.
template <typename Vec>
void multiply_arrays(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept {
  const std::int64_t whole = count / Vec::kLanes * Vec::kLanes;
  for (std::int64_t i = 0; i < whole; i += Vec::kLanes) {
    (Vec::load(from + i) * Vec::load(factors + i)).store(to + i);
  }
  if (whole == count) return;
  const auto rest = Vec::first(count - whole);
  (Vec::load(from + whole, rest) * Vec::load(factors + whole, rest)).store(to + whole, rest);
}

}  // namespace
}  // namespace quadgate::kernels
