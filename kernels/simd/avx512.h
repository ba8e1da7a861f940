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
};

}  // namespace
}  // namespace quadgate::kernels
