#pragma once

// For files compiled with AVX-512 F, BW, DQ and VL only. The unnamed namespace gives this type, and
// every template made from it, internal linkage: no such code can be picked for a lesser machine.

#include <immintrin.h>

#include <cstdint>

namespace quadgate::kernels {
namespace {

/// 16 floats in a register.
struct Avx512Vec {
  __m512 lanes;

  static constexpr std::int64_t kLanes = 16;
  using Mask = __mmask16;

  /// Selects the first `count` lanes, 0 <= count <= 16.
  static Mask first(std::int64_t count) noexcept {
    return static_cast<Mask>((1U << static_cast<unsigned>(count)) - 1U);
  }
  static Avx512Vec broadcast(float value) noexcept { return {_mm512_set1_ps(value)}; }
  static Avx512Vec load(const float* from) noexcept { return {_mm512_loadu_ps(from)}; }
  /// Lanes outside the mask are 0, and their memory is not touched.
  static Avx512Vec load(const float* from, Mask mask) noexcept {
    return {_mm512_maskz_loadu_ps(mask, from)};
  }
  void store(float* to) const noexcept { _mm512_storeu_ps(to, lanes); }
  void store(float* to, Mask mask) const noexcept { _mm512_mask_storeu_ps(to, mask, lanes); }

  friend Avx512Vec operator+(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_add_ps(a.lanes, b.lanes)};
  }
  friend Avx512Vec operator-(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_sub_ps(a.lanes, b.lanes)};
  }
  friend Avx512Vec operator*(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_mul_ps(a.lanes, b.lanes)};
  }
  friend Avx512Vec operator/(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_div_ps(a.lanes, b.lanes)};
  }
  /// a * b + c, rounded once.
  friend Avx512Vec fma(Avx512Vec a, Avx512Vec b, Avx512Vec c) noexcept {
    return {_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes)};
  }
  /// -a * b + c, rounded once.
  friend Avx512Vec fnma(Avx512Vec a, Avx512Vec b, Avx512Vec c) noexcept {
    return {_mm512_fnmadd_ps(a.lanes, b.lanes, c.lanes)};
  }
  /// Masked with all lanes: gcc 12 warns that the plain intrinsic reads an uninitialised register.
  friend Avx512Vec sqrt(Avx512Vec a) noexcept { return {_mm512_maskz_sqrt_ps(0xFFFF, a.lanes)}; }
  /// The smaller and the larger; b where either is not a number.
  friend Avx512Vec min(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_maskz_min_ps(0xFFFF, a.lanes, b.lanes)};
  }
  friend Avx512Vec max(Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_maskz_max_ps(0xFFFF, a.lanes, b.lanes)};
  }
  /// The lanes that are above 0, or NaN.
  friend Mask positive_or_nan(Avx512Vec a) noexcept {
    return _mm512_cmp_ps_mask(a.lanes, _mm512_setzero_ps(), _CMP_NLE_UQ);
  }
  /// The lanes in which a equals b.
  friend Mask equal(Avx512Vec a, Avx512Vec b) noexcept {
    return _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_EQ_OQ);
  }
  /// a in the lanes of the mask, b in the others.
  friend Avx512Vec select(Mask mask, Avx512Vec a, Avx512Vec b) noexcept {
    return {_mm512_mask_blend_ps(mask, b.lanes, a.lanes)};
  }
  /// a 2^n for whole n, -126 <= n <= 127.
  friend Avx512Vec ldexp(Avx512Vec a, Avx512Vec n) noexcept {
    return {_mm512_maskz_scalef_ps(0xFFFF, a.lanes, n.lanes)};
  }
  /// 2^(n - 127) for the n of the lowest 8 bits, if the ninth is 0: 0 for n = 0, infinity for 255.
  friend Avx512Vec lowest_bits_as_exponent(Avx512Vec a) noexcept {
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, _mm512_castps_si512(a.lanes), 23))};
  }
  /// The bf16 numbers of 8 pairs, each into the upper half of a lane.
  static Avx512Vec load_halves(const float* from) noexcept {
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    const __m512i wide = _mm512_maskz_cvtepu16_epi32(0xFFFF, halves);
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, wide, 16))};
  }
  /// Pairs of bf16 numbers in the upper halves of two vectors: `low` and `high`.
  friend Avx512Vec pair(Avx512Vec low, Avx512Vec high) noexcept {
    const __m512i shifted = _mm512_maskz_srli_epi32(0xFFFF, _mm512_castps_si512(low.lanes), 16);
    return {_mm512_castsi512_ps(_mm512_or_si512(shifted, _mm512_castps_si512(high.lanes)))};
  }
  /// Stores the bf16 numbers in the upper halves as `count` pairs of neighbours.
  friend void store_pairs(Avx512Vec a, float* to, std::int64_t count) noexcept {
    const __m512i shifted = _mm512_maskz_srli_epi32(0xFFFF, _mm512_castps_si512(a.lanes), 16);
    const __m256i pairs = _mm512_maskz_cvtepi32_epi16(0xFFFF, shifted);
    const auto mask = static_cast<__mmask8>((1U << static_cast<unsigned>(count)) - 1U);
    _mm256_mask_storeu_ps(to, mask, _mm256_castsi256_ps(pairs));
  }
#ifdef __AVX512BF16__
  /// The nearest bf16 in the upper half of each lane, as bf16/bf16.h says.
  friend Avx512Vec round_to_bf16(Avx512Vec a) noexcept {
    const auto halves = (__m256i)_mm512_cvtneps_pbh(a.lanes);
    const __m512i wide = _mm512_maskz_cvtepu16_epi32(0xFFFF, halves);
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, wide, 16))};
  }
  /// store_pairs(round_to_bf16(a), to, count)
  friend void store_bf16(Avx512Vec a, float* to, std::int64_t count) noexcept {
    const auto mask = static_cast<__mmask8>((1U << static_cast<unsigned>(count)) - 1U);
    _mm256_mask_storeu_ps(to, mask, (__m256)_mm512_cvtneps_pbh(a.lanes));
  }
  /// The sum, plus the products of the pairs' upper halves, then of their lower ones.
  friend Avx512Vec add_pairs(Avx512Vec left, Avx512Vec right, Avx512Vec sum) noexcept {
    return {_mm512_dpbf16_ps(sum.lanes, (__m512bh)left.lanes, (__m512bh)right.lanes)};
  }
#else
  /// The nearest bf16 in the upper half of each lane, as bf16/bf16.h says.
  friend Avx512Vec round_to_bf16(Avx512Vec a) noexcept {
    constexpr __mmask16 kAll = 0xFFFF;  // see sqrt
    const __m512i bits = _mm512_castps_si512(a.lanes);
    const __m512i odd =
        _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, bits, 16), _mm512_set1_epi32(1));
    __m512i up = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
    const __m512i sign = _mm512_set1_epi32(static_cast<int>(0x80000000U));
    const __m512 magnitude = _mm512_castsi512_ps(_mm512_maskz_andnot_epi32(kAll, sign, bits));
    const __mmask16 small = _mm512_cmp_ps_mask(magnitude, _mm512_set1_ps(0x1p-126F), _CMP_LT_OQ);
    const __mmask16 nan = _mm512_cmp_ps_mask(a.lanes, a.lanes, _CMP_UNORD_Q);
    up = _mm512_mask_and_epi32(up, small, bits, sign);
    up = _mm512_mask_or_epi32(up, nan, bits, _mm512_set1_epi32(0x400000));
    return upper_half(Avx512Vec{_mm512_castsi512_ps(up)});
  }
  friend void store_bf16(Avx512Vec a, float* to, std::int64_t count) noexcept {
    store_pairs(round_to_bf16(a), to, count);
  }
  friend Avx512Vec upper_half(Avx512Vec a) noexcept {
    const __m512i mask = _mm512_set1_epi32(static_cast<int>(0xFFFF0000U));
    return {_mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(a.lanes), mask))};
  }
  friend Avx512Vec lower_half(Avx512Vec a) noexcept {
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, _mm512_castps_si512(a.lanes), 16))};
  }
  /// sum + the products of the pairs' upper halves, then of their lower ones.
  friend Avx512Vec add_pairs(Avx512Vec left, Avx512Vec right, Avx512Vec sum) noexcept {
    return fma(lower_half(left), lower_half(right), fma(upper_half(left), upper_half(right), sum));
  }
#endif
  /// The whole n for which 2^n <= a < 2^(n + 1), for normal a above 0.
  friend Avx512Vec exponent(Avx512Vec a) noexcept {
    return {_mm512_maskz_getexp_ps(0xFFFF, a.lanes)};
  }
  /// The first lane in which a equals b; kLanes where none does.
  friend std::int64_t first_equal(Avx512Vec a, Avx512Vec b) noexcept {
    const Mask equal = _mm512_cmp_ps_mask(a.lanes, b.lanes, _CMP_EQ_OQ);
    return __builtin_ctz(equal | 1U << kLanes);
  }
  /// Exchanges rows and columns of 16 x 16 floats.
  friend void transpose(Avx512Vec (&rows)[16]) noexcept {
    constexpr __mmask16 kAll = 0xFFFF;  // see sqrt
    __m512 pairs[16];                   // of two rows each, within the quarters of a register
    for (int i = 0; i < 16; i += 2) {
      pairs[i] = _mm512_maskz_unpacklo_ps(kAll, rows[i].lanes, rows[i + 1].lanes);
      pairs[i + 1] = _mm512_maskz_unpackhi_ps(kAll, rows[i].lanes, rows[i + 1].lanes);
    }
    __m512 fours[16];  // of four rows each: columns 0, 4, 8, 12, or 1, 5, 9, 13, ...
    for (int i = 0; i < 16; i += 4) {
      fours[i] = _mm512_maskz_shuffle_ps(kAll, pairs[i], pairs[i + 2], 0x44);
      fours[i + 1] = _mm512_maskz_shuffle_ps(kAll, pairs[i], pairs[i + 2], 0xEE);
      fours[i + 2] = _mm512_maskz_shuffle_ps(kAll, pairs[i + 1], pairs[i + 3], 0x44);
      fours[i + 3] = _mm512_maskz_shuffle_ps(kAll, pairs[i + 1], pairs[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      const __m512 a = _mm512_maskz_shuffle_f32x4(kAll, fours[i], fours[i + 4], 0x88);
      const __m512 b = _mm512_maskz_shuffle_f32x4(kAll, fours[i], fours[i + 4], 0xDD);
      const __m512 c = _mm512_maskz_shuffle_f32x4(kAll, fours[i + 8], fours[i + 12], 0x88);
      const __m512 d = _mm512_maskz_shuffle_f32x4(kAll, fours[i + 8], fours[i + 12], 0xDD);
      rows[i].lanes = _mm512_maskz_shuffle_f32x4(kAll, a, c, 0x88);
      rows[i + 4].lanes = _mm512_maskz_shuffle_f32x4(kAll, b, d, 0x88);
      rows[i + 8].lanes = _mm512_maskz_shuffle_f32x4(kAll, a, c, 0xDD);
      rows[i + 12].lanes = _mm512_maskz_shuffle_f32x4(kAll, b, d, 0xDD);
    }
  }
  /// Has the compiler keep the value in a register. It would load it again at each use.
  void hold() noexcept { asm("" : "+v"(lanes)); }
};

}  // namespace
}  // namespace quadgate::kernels
