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
  /// To the nearest whole number, halves to the even one.
  friend Avx512Vec round(Avx512Vec a) noexcept {
    return {
        _mm512_maskz_roundscale_ps(0xFFFF, a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
  }
  /// 2^n for whole n, -126 <= n <= 128; infinity at 128.
  friend Avx512Vec power_of_two(Avx512Vec n) noexcept {
    const __m512i biased =
        _mm512_add_epi32(_mm512_maskz_cvtps_epi32(0xFFFF, n.lanes), _mm512_set1_epi32(127));
    return {_mm512_castsi512_ps(_mm512_maskz_slli_epi32(0xFFFF, biased, 23))};
  }
  /// Has the compiler keep the value in a register, where it would load it again at each use.
  void hold() noexcept { asm("" : "+v"(lanes)); }
};

}  // namespace
}  // namespace quadgate::kernels
