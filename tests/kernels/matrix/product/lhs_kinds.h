#pragma once

#include <algorithm>
#include <cstdint>
#include <ostream>

#include "kernels/matrix/product/product.h"

namespace quadgate::kernels {

struct Shape {
  std::int64_t rows;
  std::int64_t depth;
  std::int64_t columns;
};
inline std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  return out << shape.rows << " rows, depth " << shape.depth << ", " << shape.columns << " columns";
}

enum class Layout { row_major, transposed, runs, all_the_same };
inline constexpr Layout kLayouts[] = {Layout::row_major, Layout::transposed, Layout::runs,
                                      Layout::all_the_same};

/// A left side, of which `data` is still null.
inline Lhs left_side(Layout layout, const Shape& shape) {
  switch (layout) {
    case Layout::row_major:
      return {nullptr, shape.depth + 2, 1, shape.depth, 0};
    case Layout::transposed:
      return {nullptr, 1, shape.rows + 3, shape.depth, 0};
    case Layout::runs:
      return {nullptr, 24, 1, 20, 24 * shape.rows + 5};
    case Layout::all_the_same:
      break;
  }
  return {nullptr, 0, 0, shape.depth, 0};
}

inline std::int64_t place(const Lhs& a, std::int64_t row, std::int64_t k) {
  return row * a.row_stride + k % a.run * a.step + k / a.run * a.run_stride;
}

/// The floats from the first to the last element.
inline std::int64_t extent(const Lhs& a, const Shape& shape) {
  std::int64_t last = -1;
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t k = 0; k < shape.depth; ++k) last = std::max(last, place(a, row, k));
  }
  return last + 1;
}

/// Columns in whole vectors.
inline std::int64_t padded(std::int64_t columns, std::int64_t lanes) {
  return (columns + lanes - 1) / lanes * lanes;
}

}  // namespace quadgate::kernels
