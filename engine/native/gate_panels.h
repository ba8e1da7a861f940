#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/base/ceil_div.h"
#include "engine/native/cell_kernels.h"

namespace quadgate::native {

/// How the gates of one direction of a layer lie in panels. A panel has the same slots for each of
/// its units. Of an LSTM with H = 40 and vectors of 16:
///
///     panel     |            0            |            1            |            2            |
///     slot      |  i  |  f  |  g  |  o    |  i  |  f  |  g  |  o    |  i  |  f  |  g  |  o    |
///     of units  | 0 .. 15, in each slot   | 16 .. 31                | 32 .. 39, then 8 zeros  |
struct GatePanels {
  CellKernels cell;
  std::int64_t hidden_size = 0;

  std::int64_t count() const noexcept { return ceil_div(hidden_size, cell.units); }
  std::int64_t first_unit(std::int64_t panel) const noexcept { return panel * cell.units; }
  /// Units of a panel that exist.
  std::int64_t units_of(std::int64_t panel) const noexcept {
    return std::min(cell.units, hidden_size - first_unit(panel));
  }
  /// PyTorch's row of a weight for each unit of some slots of each panel. -1: there is none.
  std::vector<std::int64_t> rows_of(const CellKernels::Slots& slots) const;
};

}  // namespace quadgate::native
