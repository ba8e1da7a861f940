#pragma once

#include <cstdint>
#include <vector>

#include "engine/model/config.h"
#include "engine/model/network_options.h"
#include "kernels/cells/cell.h"
#include "kernels/cells/lstm/lstm.h"
#include "kernels/matrix/matrix_kernels.h"

namespace quadgate::native {

/// A cell as the native backend knows it: the places of its gates in the panels of
/// kernels/cells/cell.h, and its step kernels. Slots of a panel and what fills them:
///
///     slot     |  0  |  1  |  2  |  3  |
///     LSTM  ih |  i  |  f  |  g  |  o  |
///           hh |  i  |  f  |  g  |  o  |
///     GRU   ih |  n  |  r  |  z  |     |
///           hh |     |  r  |  z  |  n  |
///     RNN      | one slot, four vectors wide
struct CellKernels {
  /// The slots that one of the two products fills. They lie side by side, each with one of
  /// PyTorch's gates.
  struct Slots {
    std::int64_t first = 0;
    std::vector<std::int64_t> gates;

    std::int64_t count() const noexcept { return static_cast<std::int64_t>(gates.size()); }
  };

  kernels::MatrixKernels matrix;  ///< for these panels
  std::int64_t units = 1;         ///< hidden units in a panel
  Slots ih;                       ///< filled by x W_ih^T
  Slots hh;                       ///< filled by h W_hh^T
  bool has_cell_state = false;
  bool writes_dh = false;  ///< the backward kernel leaves a part of d(h_prev) in dh
  kernels::CellForwardKernel forward = nullptr;
  kernels::CellBackwardKernel backward = nullptr;
  kernels::LstmForwardPairKernel forward_pair = nullptr;  ///< null where there is none

  /// Floats of one row of a panel.
  std::int64_t width() const noexcept { return kernels::kPanelVectors * matrix.lanes; }
};

/// The kernels' arithmetic for what a user asks for. bf16 has the same panels on every machine, and
/// if consistent the same bits.
kernels::Arithmetic kernel_arithmetic(Precision precision, Arithmetic arithmetic,
                                      kernels::Isa isa) noexcept;

/// `cell` for an instruction set.
CellKernels cell_kernels(Cell cell, kernels::Arithmetic arithmetic, kernels::Isa isa);

}  // namespace quadgate::native
