#include "kernels/simd/avx2.h"
#include "kernels/random/dropout/impl.h"

namespace quadgate::kernels {
namespace {

/// 4 lanes of 64 bits.
struct Avx2Words {
  __m256i lanes;

  static Avx2Words broadcast(std::uint32_t word) noexcept { return {_mm256_set1_epi64x(word)}; }
  /// Blocks from `first` on, in the order in which lower_pairs and upper_pairs put them right.
  static Avx2Words blocks(std::uint32_t first) noexcept {
    return broadcast(first) + Avx2Words{_mm256_setr_epi64x(0, 2, 1, 3)};
  }
  friend Avx2Words operator+(Avx2Words a, Avx2Words b) noexcept {
    return {_mm256_add_epi64(a.lanes, b.lanes)};
  }
  /// Of the lower halves.
  friend Avx2Words multiply(Avx2Words a, Avx2Words b) noexcept {
    return {_mm256_mul_epu32(a.lanes, b.lanes)};
  }
  friend Avx2Words upper(Avx2Words a) noexcept { return {_mm256_srli_epi64(a.lanes, 32)}; }
  friend Avx2Words three_way_xor(Avx2Words a, Avx2Words b, Avx2Words c) noexcept {
    return {_mm256_xor_si256(_mm256_xor_si256(a.lanes, b.lanes), c.lanes)};
  }
  /// The lower halves of two vectors side by side.
  friend Avx2Words join(Avx2Words low, Avx2Words high) noexcept {
    return {_mm256_blend_epi32(low.lanes, _mm256_slli_epi64(high.lanes, 32), 0xAA)};
  }
  friend Avx2Words lower_pairs(Avx2Words a, Avx2Words b) noexcept {
    return {_mm256_unpacklo_epi64(a.lanes, b.lanes)};
  }
  friend Avx2Words upper_pairs(Avx2Words a, Avx2Words b) noexcept {
    return {_mm256_unpackhi_epi64(a.lanes, b.lanes)};
  }
  friend Avx2Vec::Mask kept(Avx2Words words, std::uint32_t threshold) noexcept {
    return _mm256_cmpgt_epi32(_mm256_srli_epi32(words.lanes, 8),
                              _mm256_set1_epi32(static_cast<int>(threshold) - 1));
  }
};

}  // namespace

void dropout_avx2(const DropoutMask& mask, std::int64_t count, const float* from,
                  float* to) noexcept {
  drop<Avx2Vec, Avx2Words>(mask, count, from, to);
}

void multiply_avx2(std::int64_t count, const float* factors, const float* from,
                   float* to) noexcept {
  multiply_arrays<Avx2Vec>(count, factors, from, to);
}

}  // namespace quadgate::kernels
