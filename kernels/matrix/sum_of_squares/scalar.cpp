#include <algorithm>
#include <cmath>

#include "kernels/matrix/sum_of_squares/impl.h"

namespace quadgate::kernels {

// The specification.
double sum_of_squares_scalar(std::int64_t rows, std::int64_t columns, const float* values,
                             std::int64_t stride) noexcept {
  double total = 0;
  for (std::int64_t first = 0; first < rows; first += kSquareRows) {
    float sums[kSquareColumns] = {};
    for (std::int64_t row = first; row < std::min(first + kSquareRows, rows); ++row) {
      for (std::int64_t column = 0; column < columns; ++column) {
        const float value = values[row * stride + column];
        float& sum = sums[column % kSquareColumns];
        sum = std::fma(value, value, sum);
      }
    }
    double lanes[kSquareLanes];
    for (std::int64_t lane = 0; lane < kSquareLanes; ++lane) {
      const float* const of_lane = sums + lane;
      lanes[lane] = (of_lane[0] + of_lane[kSquareLanes]) +
                    (of_lane[2 * kSquareLanes] + of_lane[3 * kSquareLanes]);
    }
    total += add_halves(lanes);
  }
  return total;
}

}  // namespace quadgate::kernels
