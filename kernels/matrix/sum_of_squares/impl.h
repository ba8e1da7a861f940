#pragma once

#include <cstdint>

#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate::kernels {

double sum_of_squares_scalar(std::int64_t rows, std::int64_t columns, const float* values,
                             std::int64_t stride) noexcept;
double sum_of_squares_avx2(std::int64_t rows, std::int64_t columns, const float* values,
                           std::int64_t stride) noexcept;
double sum_of_squares_avx512(std::int64_t rows, std::int64_t columns, const float* values,
                             std::int64_t stride) noexcept;

namespace {

constexpr std::int64_t kSquareLanes = 16;
constexpr std::int64_t kSquareVectors = 4;  // enough to hide the latency of an addition
constexpr std::int64_t kSquareColumns = kSquareLanes * kSquareVectors;
constexpr std::int64_t kSquareRows = 16;  // few enough to add them up in floats

/// The sum of the lanes, which it overwrites: halves upon each other.
inline double add_halves(double (&lanes)[kSquareLanes]) noexcept {
  for (std::int64_t half = kSquareLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
  }
  return lanes[0];
}

/// sum_of_squares_scalar with vectors of kSquareLanes floats.
template <typename Vec>
class Squares {
 public:
  static double run(std::int64_t rows, std::int64_t columns, const float* values,
                    std::int64_t stride) noexcept {
    double total = 0;
    for (std::int64_t first = 0; first < rows; first += kSquareRows) {
      const std::int64_t count = rows - first < kSquareRows ? rows - first : kSquareRows;
      total += run_rows(count, columns, values + first * stride, stride);
    }
    return total;
  }

 private:
  static double run_rows(std::int64_t rows, std::int64_t columns, const float* values,
                         std::int64_t stride) noexcept {
    const std::int64_t whole = columns / kSquareColumns * kSquareColumns;
    typename Vec::Mask rest[kSquareVectors];
    Vec sums[kSquareVectors];
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < kSquareVectors; ++i) {
      rest[i] = Vec::first(lanes_of(columns - whole - i * kSquareLanes));
      sums[i] = Vec::broadcast(0.0F);
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* const from = values + row * stride;
      for (std::int64_t column = 0; column < whole; column += kSquareColumns) {
#pragma GCC unroll 4
        for (std::int64_t i = 0; i < kSquareVectors; ++i) {
          const Vec value = Vec::load(from + column + i * kSquareLanes);
          sums[i] = fma(value, value, sums[i]);
        }
      }
      if (whole == columns) continue;
#pragma GCC unroll 4
      for (std::int64_t i = 0; i < kSquareVectors; ++i) {
        const Vec value = Vec::load(from + whole + i * kSquareLanes, rest[i]);
        sums[i] = fma(value, value, sums[i]);
      }
    }
    float folded[kSquareLanes];
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).store(folded);
    double lanes[kSquareLanes];
    for (std::int64_t lane = 0; lane < kSquareLanes; ++lane) lanes[lane] = folded[lane];
    return add_halves(lanes);
  }

  static std::int64_t lanes_of(std::int64_t left) noexcept {
    return left < 0 ? 0 : left < kSquareLanes ? left : kSquareLanes;
  }
};

}  // namespace
}  // namespace quadgate::kernels
