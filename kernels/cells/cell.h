#pragma once

#include <cstdint>

namespace quadgate::kernels {

// What the step kernels of all cells (lstm/, gru/, rnn/) have in common. The hidden units lie in
// panels. A row of a panel has slots, and a slot has one value for each of the panel's units. A row
// is kPanelVectors * lanes wide, lanes = vector_lanes(isa, arithmetic). Of an LSTM:
//
//     gates    row 0      | i of the units | f of the units | g of the units | o of the units |
//              row 1      | i of the units | f of the units | g of the units | o of the units |
//     weights  feature 0  | i of the units | f of the units | g of the units | o of the units |
//     of W_hh  feature 1  | ...
//
// A panel of the weights has the slots alone that h_prev W_hh^T fills: [depth, those slots, units].
// In the last panel the units beyond hidden_size have zero weights, and zero derivatives, though
// zero weights make NaN of an infinite feature. Outside the gate array a kernel reads and writes
// nothing for them.
//
// With pairs and tiles (base/panels.h) these are bf16 numbers: the weights, h_prev in the product,
// and the gates that a step leaves. They lie in pairs of neighbours (bf16/bf16.h), half as many
// floats. The sums are those of bf16_product_kernel. Like it, the forward step takes denormal
// numbers as 0.

/// One step of one panel's units, forward.
struct CellForward {
  std::int64_t rows;
  std::int64_t units;  ///< of this panel that exist
  std::int64_t depth;  ///< features of h_prev, or pairs of them
  const float* left;   ///< all of h_prev, [rows, depth], rows left_stride apart; null: zeros
  std::int64_t left_stride;
  const float* weight_hh;
  const float* inputs;  ///< x W_ih^T + biases, floats in a panel [rows, slots, units]
  float* gates;         ///< out: see the cell's header; may be `inputs` if it is floats
  const float* h_prev;  ///< of these units, rows h_prev_stride apart; null: zeros. GRU only
  std::int64_t h_prev_stride;
  const float* c_prev;  ///< [rows, units], rows c_stride apart, as c; null: zeros. LSTM only
  float* c;             ///< may be c_prev
  std::int64_t c_stride;
  float* h;  ///< [rows, units], rows h_stride apart; not h_prev
  std::int64_t h_stride;
  float* h_pairs;  ///< out: h once more, rounded; null: no. In bf16 only
  std::int64_t h_pairs_stride;
};

/// The derivatives of the same step, without the product. d(h_prev) is the product of d(gates) with
/// W_hh. A cell whose header says that it writes `dh` has the product added to it.
struct CellBackward {
  std::int64_t rows;
  std::int64_t units;
  float* gates;         ///< in: as the forward step left them; out: d(x W_ih^T) and d(h W_hh^T)
  const float* h_prev;  ///< of these units, rows h_prev_stride apart; null: zeros
  std::int64_t h_prev_stride;
  const float* c_prev;  ///< [rows, units], rows c_stride apart, as c; null: zeros. LSTM only
  const float* c;
  std::int64_t c_stride;
  float* dh;  ///< [rows, units], rows d_stride apart, as dc: from the step after
  float* dc;  ///< in: from the step after; out: for the step before. LSTM only
  std::int64_t d_stride;
  const float* dy;  ///< from the layer above, [rows, units], rows dy_stride apart; null: zeros
  std::int64_t dy_stride;
};

using CellForwardKernel = void (*)(const CellForward& step) noexcept;
using CellBackwardKernel = void (*)(const CellBackward& step) noexcept;

}  // namespace quadgate::kernels
