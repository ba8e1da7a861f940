#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>

#include "kernels/cell.h"
#include "kernels/simd/tile.h"

namespace quadgate::kernels {
namespace {

/// Takes the rows of a step forward through Step::run_tile<kRows>(step), in the most even tiles of
/// at most Step::kMostRows.
template <typename Step>
class CellTiles {
 public:
  static void run(const CellForward& step) noexcept {
    CellForward rest = step;
    while (rest.rows > 0) {
      const std::int64_t height = even_tile(rest.rows, Step::kMostRows);
      run_rows<Step::kMostRows>(height, rest);
      rest.rows -= height;
      if (rest.h_prev != nullptr) rest.h_prev += height * step.h_prev_stride;
      rest.gates += height * Step::kWidth;
      rest.h += height * step.h_stride;
      if (rest.c_prev != nullptr) rest.c_prev += height * step.c_stride;
      if (rest.c != nullptr) rest.c += height * step.c_stride;
    }
  }

 private:
  template <std::int64_t kRows>
  static void run_rows(std::int64_t rows, const CellForward& step) noexcept {
    if constexpr (kRows > 1) {
      if (rows < kRows) return run_rows<kRows - 1>(rows, step);
    }
    Step::template run_tile<kRows>(step);
  }
};

}  // namespace
}  // namespace quadgate::kernels
