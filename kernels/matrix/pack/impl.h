#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/base/panels.h"
#include "kernels/matrix/pack/pack.h"
#include "kernels/simd/width.h"

namespace quadgate::kernels {

void gather_scalar(const Gather& gather) noexcept;
void gather_avx2(const Gather& gather) noexcept;
void gather_avx512(const Gather& gather) noexcept;

void transpose_scalar(const Transpose& transpose) noexcept;
void transpose_avx2(const Transpose& transpose) noexcept;
void transpose_avx512(const Transpose& transpose) noexcept;

namespace {

/// Copies kVectors vectors of a row, the last one masked; a null row is zeros.
template <typename Vec, std::int64_t kVectors>
void gather_vectors(const float* from, typename Vec::Mask mask, float* to) noexcept {
#pragma GCC unroll 4
  for (std::int64_t i = 0; i < kVectors; ++i) {
    const Vec value = from == nullptr    ? Vec::broadcast(0.0F)
                      : i + 1 < kVectors ? Vec::load(from + i * Vec::kLanes)
                                         : Vec::load(from + i * Vec::kLanes, mask);
    value.store(to + i * Vec::kLanes);
  }
}

/// Row after row, since rows come from memory. The last panel has kVectors vectors.
template <typename Vec, std::int64_t kVectors>
void gather_rows(const Gather& gather) noexcept {
  constexpr std::int64_t kWidth = kPanelVectors * Vec::kLanes;
  const std::int64_t whole = (gather.columns - 1) / kWidth;  // panels in front of the last
  const auto all = Vec::first(Vec::kLanes);
  const auto mask = Vec::first(gather.columns - whole * kWidth - (kVectors - 1) * Vec::kLanes);
  for (std::int64_t k = 0; k < gather.rows; ++k) {
    const std::int64_t row = gather.index == nullptr ? k : gather.index[k];
    const float* from = row < 0 ? nullptr : gather.from + row * gather.from_stride;
    float* to = gather.to;
    for (std::int64_t panel = 0; panel < whole; ++panel) {
      gather_vectors<Vec, kPanelVectors>(from, all, to + k * kWidth);
      if (from != nullptr) from += kWidth;
      to += gather.rows * kWidth;
    }
    gather_vectors<Vec, kVectors>(from, mask, to + k * kVectors * Vec::kLanes);
  }
}

template <typename Vec>
void gather_simd(const Gather& gather) noexcept {
  constexpr std::int64_t kWidth = kPanelVectors * Vec::kLanes;
  with_vectors<Vec>(gather.columns == 0 ? 0 : (gather.columns - 1) % kWidth + 1,
                    [&]<std::int64_t kVectors>() noexcept { gather_rows<Vec, kVectors>(gather); });
}

template <typename Vec>
void transpose_simd(const Transpose& t) noexcept {
  constexpr std::int64_t kLanes = Vec::kLanes;
  for (std::int64_t k = 0; k < t.depth; k += kLanes) {
    const std::int64_t steps = t.depth - k < kLanes ? t.depth - k : kLanes;
    const auto mask = Vec::first(steps);
    Vec block[static_cast<std::size_t>(kLanes)];
    for (std::int64_t row = 0; row < kLanes; ++row) {
      block[row] =
          row < t.count ? Vec::load(t.from + row * t.from_stride + k, mask) : Vec::broadcast(0.0F);
    }
    transpose(block);
    for (std::int64_t step = 0; step < steps; ++step) {
      block[step].store(t.to + (k + step) * t.to_stride);
    }
  }
}

}  // namespace
}  // namespace quadgate::kernels
