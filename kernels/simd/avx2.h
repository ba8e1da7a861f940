#pragma once

// For files compiled with AVX2 and FMA only. The unnamed namespace gives this type, and every
// template made from it, internal linkage: no such code can be picked for a lesser machine.

#include <immintrin.h>

#include <cstdint>

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
  void store(float* to, Mask mask) const noexcept { _mm256_maskstore_ps(to, mask, lanes); }

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
};

}  // namespace
}  // namespace quadgate::kernels
