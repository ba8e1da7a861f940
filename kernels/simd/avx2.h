#pragma once

// For files compiled with AVX2 and FMA only. The unnamed namespace gives this type, and every
// template made from it, internal linkage: no such code can be picked for a lesser machine.

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/twice.h"

namespace quadgate::kernels {
namespace {

/// 8 floats in a register.
struct Avx2Vec {
  __m256 lanes;

  static constexpr std::int64_t kLanes = 8;
  using Mask = __m256i;

  /// Selects the first `count` lanes, 0 <= count <= 8.
  static Mask first(std::int64_t count) noexcept {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static Avx2Vec broadcast(float value) noexcept { return {_mm256_set1_ps(value)}; }
  static Avx2Vec load(const float* from) noexcept { return {_mm256_loadu_ps(from)}; }
  /// Lanes outside the mask are 0, and their memory is not touched.
  static Avx2Vec load(const float* from, Mask mask) noexcept {
    return {_mm256_maskload_ps(from, mask)};
  }
  void store(float* to) const noexcept { _mm256_storeu_ps(to, lanes); }
  /// A masked store is some 40 operations on AMD's cores.
  void store(float* to, Mask mask) const noexcept {
    constexpr int kAll = 0xFF;
    _mm256_movemask_ps(_mm256_castsi256_ps(mask)) == kAll ? store(to)
                                                          : _mm256_maskstore_ps(to, mask, lanes);
  }

  friend Avx2Vec operator+(Avx2Vec a, Avx2Vec b) noexcept {
    return {_mm256_add_ps(a.lanes, b.lanes)};
  }
  friend Avx2Vec operator-(Avx2Vec a, Avx2Vec b) noexcept {
    return {_mm256_sub_ps(a.lanes, b.lanes)};
  }
  friend Avx2Vec operator*(Avx2Vec a, Avx2Vec b) noexcept {
    return {_mm256_mul_ps(a.lanes, b.lanes)};
  }
  friend Avx2Vec operator/(Avx2Vec a, Avx2Vec b) noexcept {
    return {_mm256_div_ps(a.lanes, b.lanes)};
  }
  /// a * b + c, rounded once.
  friend Avx2Vec fma(Avx2Vec a, Avx2Vec b, Avx2Vec c) noexcept {
    return {_mm256_fmadd_ps(a.lanes, b.lanes, c.lanes)};
  }
  /// -a * b + c, rounded once.
  friend Avx2Vec fnma(Avx2Vec a, Avx2Vec b, Avx2Vec c) noexcept {
    return {_mm256_fnmadd_ps(a.lanes, b.lanes, c.lanes)};
  }
  friend Avx2Vec sqrt(Avx2Vec a) noexcept { return {_mm256_sqrt_ps(a.lanes)}; }
  /// The smaller and the larger; b where either is not a number.
  friend Avx2Vec min(Avx2Vec a, Avx2Vec b) noexcept { return {_mm256_min_ps(a.lanes, b.lanes)}; }
  friend Avx2Vec max(Avx2Vec a, Avx2Vec b) noexcept { return {_mm256_max_ps(a.lanes, b.lanes)}; }
  /// The lanes that are above 0, or NaN.
  friend Mask positive_or_nan(Avx2Vec a) noexcept {
    return _mm256_castps_si256(_mm256_cmp_ps(a.lanes, _mm256_setzero_ps(), _CMP_NLE_UQ));
  }
  /// The lanes in which a equals b.
  friend Mask equal(Avx2Vec a, Avx2Vec b) noexcept {
    return _mm256_castps_si256(_mm256_cmp_ps(a.lanes, b.lanes, _CMP_EQ_OQ));
  }
  /// a in the lanes of the mask, b in the others.
  friend Avx2Vec select(Mask mask, Avx2Vec a, Avx2Vec b) noexcept {
    return {_mm256_blendv_ps(b.lanes, a.lanes, _mm256_castsi256_ps(mask))};
  }
  /// a 2^n for whole n, -126 <= n <= 127.
  friend Avx2Vec ldexp(Avx2Vec a, Avx2Vec n) noexcept {
    const __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n.lanes), _mm256_set1_epi32(127));
    return {_mm256_mul_ps(a.lanes, _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23)))};
  }
  /// 2^(n - 127) for the n of the lowest 8 bits, if the ninth is 0: 0 for n = 0, infinity for 255.
  friend Avx2Vec lowest_bits_as_exponent(Avx2Vec a) noexcept {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.lanes), 23))};
  }
  /// The nearest bf16 in the upper half of each lane, as bf16/bf16.h says.
  friend Avx2Vec round_to_bf16(Avx2Vec a) noexcept {
    const __m256i bits = _mm256_castps_si256(a.lanes);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
    const __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a.lanes);
    const __m256 small = _mm256_cmp_ps(magnitude, _mm256_set1_ps(0x1p-126F), _CMP_LT_OQ);
    const __m256 sign = _mm256_and_ps(a.lanes, _mm256_set1_ps(-0.0F));
    const __m256 nan = _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(0x400000)));
    const __m256 is_nan = _mm256_cmp_ps(a.lanes, a.lanes, _CMP_UNORD_Q);
    const __m256 number = _mm256_blendv_ps(_mm256_castsi256_ps(up), sign, small);
    return upper_half(Avx2Vec{_mm256_blendv_ps(number, nan, is_nan)});
  }
  /// The bf16 numbers of 4 pairs, each into the upper half of a lane.
  static Avx2Vec load_halves(const float* from) noexcept {
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
  }
  /// Pairs of bf16 numbers in the upper halves of two vectors: `low` and `high`.
  friend Avx2Vec pair(Avx2Vec low, Avx2Vec high) noexcept {
    const __m256i shifted = _mm256_srli_epi32(_mm256_castps_si256(low.lanes), 16);
    return {_mm256_or_ps(_mm256_castsi256_ps(shifted), high.lanes)};
  }
  /// Stores the bf16 numbers in the upper halves as `count` pairs of neighbours.
  friend void store_pairs(Avx2Vec a, float* to, std::int64_t count) noexcept {
    const __m256i shifted = _mm256_srli_epi32(_mm256_castps_si256(a.lanes), 16);
    const __m256i halves = _mm256_packus_epi32(shifted, shifted);
    const __m256i pairs = _mm256_permute4x64_epi64(halves, 0x88);
    const __m128 result = _mm_castsi128_ps(_mm256_castsi256_si128(pairs));
    const __m128i mask =
        _mm_cmpgt_epi32(_mm_set1_epi32(static_cast<int>(count)), _mm_setr_epi32(0, 1, 2, 3));
    _mm_maskstore_ps(to, mask, result);
  }
  friend Avx2Vec upper_half(Avx2Vec a) noexcept {
    const __m256i mask = _mm256_set1_epi32(static_cast<int>(0xFFFF0000U));
    return {_mm256_and_ps(a.lanes, _mm256_castsi256_ps(mask))};
  }
  friend Avx2Vec lower_half(Avx2Vec a) noexcept {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a.lanes), 16))};
  }
  /// The sum, plus the products of the pairs' upper halves, then of their lower ones.
  friend Avx2Vec add_pairs(Avx2Vec left, Avx2Vec right, Avx2Vec sum) noexcept {
    return fma(lower_half(left), lower_half(right), fma(upper_half(left), upper_half(right), sum));
  }
  /// The whole n for which 2^n <= a < 2^(n + 1), for normal a above 0.
  friend Avx2Vec exponent(Avx2Vec a) noexcept {
    const __m256i biased = _mm256_srli_epi32(_mm256_castps_si256(a.lanes), 23);
    return {_mm256_cvtepi32_ps(_mm256_sub_epi32(biased, _mm256_set1_epi32(127)))};
  }
  /// The first lane in which a equals b; kLanes where none does.
  friend std::int64_t first_equal(Avx2Vec a, Avx2Vec b) noexcept {
    const int equal = _mm256_movemask_ps(_mm256_cmp_ps(a.lanes, b.lanes, _CMP_EQ_OQ));
    return __builtin_ctz(static_cast<unsigned>(equal) | 1U << kLanes);
  }
  /// Exchanges rows and columns of 8 x 8 floats.
  friend void transpose(Avx2Vec (&rows)[8]) noexcept {
    __m256 pairs[8];  // of two rows each, within the halves of a register
    for (int i = 0; i < 8; i += 2) {
      pairs[i] = _mm256_unpacklo_ps(rows[i].lanes, rows[i + 1].lanes);
      pairs[i + 1] = _mm256_unpackhi_ps(rows[i].lanes, rows[i + 1].lanes);
    }
    __m256 fours[8];  // of four rows each: column 0 or 4, 1 or 5, ...
    for (int i = 0; i < 8; i += 4) {
      fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
      fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xEE);
      fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
      fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      rows[i].lanes = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
      rows[i + 4].lanes = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
  }
  /// Has the compiler keep the value in a register. It would load it again at each use.
  void hold() noexcept { asm("" : "+x"(lanes)); }
};

/// 16 floats in two of them.
using Avx2Vec16 = Twice<Avx2Vec>;

}  // namespace
}  // namespace quadgate::kernels
