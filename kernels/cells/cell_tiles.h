#pragma once

// For the files of one instruction set, like math.h.

#include <cstdint>

#include "kernels/cells/cell.h"
#include "kernels/cells/gates.h"
#include "kernels/simd/tile.h"

namespace quadgate::kernels {
namespace {

/// The sums of a tile of a step forward: the inputs plus the product, for kColumns vectors from the
/// panel's vector `first` on.
template <typename Gates, std::int64_t kRows, std::int64_t kColumns>
class CellSums : public Tile<typename Gates::Vec, kRows, kColumns, typename Gates::Term> {
 public:
  CellSums(const CellForward& step, std::int64_t first) noexcept {
    using Vec = typename Gates::Vec;
    this->load(step.inputs + first * Vec::kLanes, 4 * Vec::kLanes, Vec::first(Vec::kLanes));
    if (step.left != nullptr) {
      this->add_product(step.left, step.left_stride, 1, step.depth, step.depth, 0, step.weight_hh);
    }
  }
};

/// Takes the rows of a step forward through Step::run_tile<kRows>(step). The tiles have at most
/// Step::kMostRows rows, as evenly as can be.
template <typename Step>
class CellTiles {
  using Gates = typename Step::Gates;

 public:
  static void run(const CellForward& step) noexcept {
    [[maybe_unused]] const typename Gates::ForwardMode mode;
    CellForward rest = step;
    while (rest.rows > 0) {
      const std::int64_t height = even_tile(rest.rows, Step::kMostRows);
      run_rows<Step::kMostRows>(height, rest);
      rest.rows -= height;
      if (rest.left != nullptr) rest.left += height * step.left_stride;
      rest.inputs += height * 4 * Gates::Vec::kLanes;
      rest.gates += height * 4 * Gates::kSlot;
      if (rest.h_prev != nullptr) rest.h_prev += height * step.h_prev_stride;
      rest.h += height * step.h_stride;
      if (rest.h_pairs != nullptr) rest.h_pairs += height * step.h_pairs_stride;
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
