#pragma once

#include <cstdint>

#include "kernels/cells/activation/activation.h"

namespace quadgate::kernels {

void sigmoid_scalar(std::int64_t n, const float* x, float* y) noexcept;
void sigmoid_avx2(std::int64_t n, const float* x, float* y) noexcept;
void sigmoid_avx512(std::int64_t n, const float* x, float* y) noexcept;

void tanh_scalar(std::int64_t n, const float* x, float* y) noexcept;
void tanh_avx2(std::int64_t n, const float* x, float* y) noexcept;
void tanh_avx512(std::int64_t n, const float* x, float* y) noexcept;

namespace {

/// Sets y = function(x), a vector at a time. The tail is a masked vector.
template <typename Vec, typename Function>
void activate(std::int64_t n, const float* x, float* y, Function function) noexcept {
  std::int64_t i = 0;
  for (; i + Vec::kLanes <= n; i += Vec::kLanes) function(Vec::load(x + i)).store(y + i);
  if (i < n) {
    const auto mask = Vec::first(n - i);
    function(Vec::load(x + i, mask)).store(y + i, mask);
  }
}

}  // namespace
}  // namespace quadgate::kernels
