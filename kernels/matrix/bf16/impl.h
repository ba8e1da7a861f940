#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matrix/bf16/bf16.h"
#include "kernels/simd/denormals.h"
#include "kernels/simd/width.h"

namespace quadgate::kernels {

void bf16_product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                         const Output& c) noexcept;
void bf16_product_avx2(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                       const Output& c) noexcept;
void bf16_product_avx512(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                         const Output& c) noexcept;
void bf16_product_avx512_bf16(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                              const Output& c) noexcept;

void bf16_tile_product_scalar(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                              const Output& c) noexcept;
void bf16_tile_product_amx_bf16(std::int64_t rows, std::int64_t depth, const Lhs& a, const float* b,
                                const Output& c) noexcept;

void bf16_gather_scalar(const Gather& gather) noexcept;
void bf16_gather_avx2(const Gather& gather) noexcept;
void bf16_gather_avx512(const Gather& gather) noexcept;
void bf16_gather_avx512_bf16(const Gather& gather) noexcept;

void bf16_transpose_scalar(const Transpose& transpose) noexcept;
void bf16_transpose_avx2(const Transpose& transpose) noexcept;
void bf16_transpose_avx512(const Transpose& transpose) noexcept;
void bf16_transpose_avx512_bf16(const Transpose& transpose) noexcept;

void bf16_rows_scalar(const Bf16Rows& rows) noexcept;
void bf16_rows_avx2(const Bf16Rows& rows) noexcept;
void bf16_rows_avx512(const Bf16Rows& rows) noexcept;
void bf16_rows_avx512_bf16(const Bf16Rows& rows) noexcept;

void bf16_interleave_scalar(const Bf16Interleave& rows) noexcept;
void bf16_interleave_avx2(const Bf16Interleave& rows) noexcept;
void bf16_interleave_avx512(const Bf16Interleave& rows) noexcept;
void bf16_interleave_avx512_bf16(const Bf16Interleave& rows) noexcept;

namespace {

/// Rows of kVectors vectors.
template <typename Vec, std::int64_t kVectors>
void bf16_gather_rows(const Gather& gather) noexcept {
  const auto mask = Vec::first(gather.columns - (kVectors - 1) * Vec::kLanes);
  const auto row_at = [&](std::int64_t k) noexcept -> const float* {
    const std::int64_t row = k >= gather.rows ? -1 : gather.index == nullptr ? k : gather.index[k];
    return row < 0 ? nullptr : gather.from + row * gather.from_stride;
  };
  float* to = gather.to;
  for (std::int64_t k = 0; k < gather.rows; k += 2) {
    const float* const rows[2] = {row_at(k), row_at(k + 1)};
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < kVectors; ++i) {
      Vec values[2];
      for (std::int64_t j = 0; j < 2; ++j) {
        values[j] = rows[j] == nullptr ? Vec::broadcast(0.0F)
                    : i + 1 < kVectors ? Vec::load(rows[j] + i * Vec::kLanes)
                                       : Vec::load(rows[j] + i * Vec::kLanes, mask);
      }
      pair(round_to_bf16(values[0]), round_to_bf16(values[1])).store(to + i * Vec::kLanes);
    }
    to += kVectors * Vec::kLanes;
  }
}

template <typename Vec>
void bf16_gather_simd(const Gather& gather) noexcept {
  with_vectors<Vec>(gather.columns, [&]<std::int64_t kVectors>() noexcept {
    bf16_gather_rows<Vec, kVectors>(gather);
  });
}

template <typename Vec>
void bf16_transpose_simd(const Transpose& t) noexcept {
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
    for (std::int64_t step = 0; step < steps; step += 2) {
      pair(round_to_bf16(block[step]), round_to_bf16(block[step + 1]))
          .store(t.to + (k + step) / 2 * t.to_stride);
    }
  }
}

template <typename Vec>
void bf16_rows_simd(const Bf16Rows& rows) noexcept {
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const float* const from = rows.from + row * rows.from_stride;
    float* const to = rows.to + row * rows.to_stride;
    for (std::int64_t i = 0; i < rows.columns; i += Vec::kLanes) {
      const std::int64_t rest = rows.columns - i;
      if (rest >= Vec::kLanes) {
        store_bf16(Vec::load(from + i), to + i / 2, Vec::kLanes / 2);
      } else {
        store_bf16(Vec::load(from + i, Vec::first(rest)), to + i / 2, (rest + 1) / 2);
      }
    }
  }
}

template <typename Vec, std::int64_t kVectors>
void bf16_interleave_rows(const Bf16Interleave& rows) noexcept {
  const auto row_at = [&](std::int64_t k) noexcept -> const float* {
    const std::int64_t row = k >= rows.rows ? -1 : rows.index == nullptr ? k : rows.index[k];
    return row < 0 ? nullptr : rows.from + row * rows.from_stride;
  };
  float* to = rows.to;
  for (std::int64_t k = 0; k < rows.rows; k += 2) {
    const float* const low = row_at(k);
    const float* const high = row_at(k + 1);
    for (std::int64_t i = 0; i < kVectors * Vec::kLanes; i += Vec::kLanes) {
      const Vec zero = Vec::broadcast(0.0F);
      pair(low == nullptr ? zero : Vec::load_halves(low + i / 2),
           high == nullptr ? zero : Vec::load_halves(high + i / 2))
          .store(to + i);
    }
    to += kVectors * Vec::kLanes;
  }
}

template <typename Vec>
void bf16_interleave_simd(const Bf16Interleave& rows) noexcept {
  with_vectors<Vec>(rows.columns, [&]<std::int64_t kVectors>() noexcept {
    bf16_interleave_rows<Vec, kVectors>(rows);
  });
}

}  // namespace
}  // namespace quadgate::kernels
