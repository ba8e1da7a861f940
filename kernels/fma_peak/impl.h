#pragma once

#include <bit>
#include <cstdint>

#include "kernels/fma_peak/fma_peak.h"

namespace quadgate::kernels {

float fma_peak_scalar(std::int64_t rounds) noexcept;
float fma_peak_avx2(std::int64_t rounds) noexcept;
float fma_peak_avx512(std::int64_t rounds) noexcept;
float bf16_peak_avx512_bf16(std::int64_t rounds) noexcept;
float bf16_peak_amx_bf16(std::int64_t rounds) noexcept;

/// x * 0.5 + 1.
struct HalveAddOne {
  template <typename Vec>
  static Vec next(Vec x, Vec half, Vec one) noexcept {
    return fma(x, half, one);
  }
};

/// 1 + the products of the pairs of x with those of 0.5.
struct AddHalvedPairs {
  template <typename Vec>
  static Vec next(Vec x, Vec half, Vec one) noexcept {
    return add_pairs(x, half, one);
  }
};

/// The kernel over a vector type. The chains are distinct, and none starts at 2, where x * 0.5 + 1
/// is x: so the compiler can leave none out. They have names: so they stay in registers, whatever
/// it unrolls.
template <typename Vec, typename Link = HalveAddOne>
float fma_peak_simd(std::int64_t rounds) noexcept {
  const Vec half = Vec::broadcast(0.5F);
  const Vec one = Vec::broadcast(1.0F);
  Vec x0 = Vec::broadcast(3.0F), x1 = Vec::broadcast(4.0F), x2 = Vec::broadcast(5.0F);
  Vec x3 = Vec::broadcast(6.0F), x4 = Vec::broadcast(7.0F), x5 = Vec::broadcast(8.0F);
  Vec x6 = Vec::broadcast(9.0F), x7 = Vec::broadcast(10.0F), x8 = Vec::broadcast(11.0F);
  Vec x9 = Vec::broadcast(12.0F), x10 = Vec::broadcast(13.0F), x11 = Vec::broadcast(14.0F);
  for (std::int64_t round = 0; round < rounds; ++round) {
    x0 = Link::next(x0, half, one), x1 = Link::next(x1, half, one), x2 = Link::next(x2, half, one);
    x3 = Link::next(x3, half, one), x4 = Link::next(x4, half, one), x5 = Link::next(x5, half, one);
    x6 = Link::next(x6, half, one), x7 = Link::next(x7, half, one), x8 = Link::next(x8, half, one);
    x9 = Link::next(x9, half, one), x10 = Link::next(x10, half, one),
    x11 = Link::next(x11, half, one);
  }
  const Vec total = ((x0 + x1) + (x2 + x3)) + ((x4 + x5) + (x6 + x7)) + ((x8 + x9) + (x10 + x11));
  float lanes[Vec::kLanes];
  total.store(lanes);
  float sum = 0.0F;
  for (const float lane : lanes) sum += lane;
  return sum;
}

/// Four products of 16 rows, 16 pairs and 16 columns.
inline constexpr std::int64_t kTilePeakFlopsPerRound = 4 * 2 * 16 * 32 * 16;

/// bf16_peak_kernel over tiles (simd/amx.h). Four of them start at 1 and stay there, since the
/// pairs of the left side, 1 and -1, cancel each other. Returns the sum of their 1024 elements.
template <typename Tiles>
float bf16_peak_tiles(std::int64_t rounds) noexcept {
  constexpr auto kOneMinusOne = std::bit_cast<float>(0xBF803F80U);
  constexpr auto kOneOne = std::bit_cast<float>(0x3F803F80U);
  float ones[256];
  float left[256];
  float right[256];
  for (int i = 0; i < 256; ++i) {
    ones[i] = 1.0F;
    left[i] = kOneMinusOne;
    right[i] = kOneOne;
  }
  Tiles tiles;
  tiles.template load<0>(ones, 16), tiles.template load<1>(ones, 16);
  tiles.template load<2>(ones, 16), tiles.template load<3>(ones, 16);
  tiles.template load<4>(left, 16), tiles.template load<6>(right, 16);
  for (std::int64_t round = 0; round < rounds; ++round) {
    tiles.template add_product<0, 4, 6>(), tiles.template add_product<1, 4, 6>();
    tiles.template add_product<2, 4, 6>(), tiles.template add_product<3, 4, 6>();
  }
  float sums[4][256];
  tiles.template store<0>(sums[0], 16), tiles.template store<1>(sums[1], 16);
  tiles.template store<2>(sums[2], 16), tiles.template store<3>(sums[3], 16);
  float sum = 0.0F;
  for (const auto& tile : sums) {
    for (const float value : tile) sum += value;
  }
  return sum;
}

}  // namespace quadgate::kernels
