#include <xmmintrin.h>

#include "kernels/fma_peak/impl.h"

namespace quadgate::kernels {
namespace {

/// 4 floats in a register of baseline x86-64, which has no FMA.
struct SseVec {
  __m128 lanes;

  static constexpr std::int64_t kLanes = 4;

  static SseVec broadcast(float value) noexcept { return {_mm_set1_ps(value)}; }
  void store(float* to) const noexcept { _mm_storeu_ps(to, lanes); }

  friend SseVec operator+(SseVec a, SseVec b) noexcept { return {_mm_add_ps(a.lanes, b.lanes)}; }
  /// a * b + c, rounded twice.
  friend SseVec fma(SseVec a, SseVec b, SseVec c) noexcept {
    return {_mm_add_ps(_mm_mul_ps(a.lanes, b.lanes), c.lanes)};
  }
};

}  // namespace

float fma_peak_scalar(std::int64_t rounds) noexcept { return fma_peak_simd<SseVec>(rounds); }

}  // namespace quadgate::kernels
