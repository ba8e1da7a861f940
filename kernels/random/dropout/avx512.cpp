#include "kernels/simd/avx512.h"
#include "kernels/random/dropout/impl.h"

namespace quadgate::kernels {
namespace {

constexpr __mmask8 kAll = 0xFF;  // see Avx512Vec's sqrt

/// 8 lanes of 64 bits.
struct Avx512Words {
  __m512i lanes;

  static Avx512Words broadcast(std::uint32_t word) noexcept { return {_mm512_set1_epi64(word)}; }
  /// Blocks from `first` on, in the order in which lower_pairs and upper_pairs put them right.
  static Avx512Words blocks(std::uint32_t first) noexcept {
    return broadcast(first) + Avx512Words{_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7)};
  }
  friend Avx512Words operator+(Avx512Words a, Avx512Words b) noexcept {
    return {_mm512_add_epi64(a.lanes, b.lanes)};
  }
  /// Of the lower halves.
  friend Avx512Words multiply(Avx512Words a, Avx512Words b) noexcept {
    return {_mm512_maskz_mul_epu32(kAll, a.lanes, b.lanes)};
  }
  friend Avx512Words upper(Avx512Words a) noexcept {
    return {_mm512_maskz_srli_epi64(kAll, a.lanes, 32)};
  }
  friend Avx512Words three_way_xor(Avx512Words a, Avx512Words b, Avx512Words c) noexcept {
    return {_mm512_ternarylogic_epi64(a.lanes, b.lanes, c.lanes, 0x96)};
  }
  /// The lower halves of two vectors side by side.
  friend Avx512Words join(Avx512Words low, Avx512Words high) noexcept {
    const __m512i shifted = _mm512_maskz_slli_epi64(kAll, high.lanes, 32);
    return {_mm512_mask_blend_epi32(0xAAAA, low.lanes, shifted)};
  }
  friend Avx512Words lower_pairs(Avx512Words a, Avx512Words b) noexcept {
    return {_mm512_maskz_unpacklo_epi64(kAll, a.lanes, b.lanes)};
  }
  friend Avx512Words upper_pairs(Avx512Words a, Avx512Words b) noexcept {
    return {_mm512_maskz_unpackhi_epi64(kAll, a.lanes, b.lanes)};
  }
  friend Avx512Vec::Mask kept(Avx512Words words, std::uint32_t threshold) noexcept {
    const __m512i drawn = _mm512_maskz_srli_epi32(0xFFFF, words.lanes, 8);
    return _mm512_cmpge_epu32_mask(drawn, _mm512_set1_epi32(static_cast<int>(threshold)));
  }
};

}  // namespace

void dropout_avx512(const DropoutMask& mask, std::int64_t count, const float* from,
                    float* to) noexcept {
  drop<Avx512Vec, Avx512Words>(mask, count, from, to);
}

void multiply_avx512(std::int64_t count, const float* factors, const float* from,
                     float* to) noexcept {
  multiply_arrays<Avx512Vec>(count, factors, from, to);
}

}  // namespace quadgate::kernels
