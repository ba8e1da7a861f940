#pragma once

#include <cstdint>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/native/done.h"
#include "engine/native/gate_array.h"
#include "engine/native/layer_plan.h"
#include "engine/native/layer_weights.h"
#include "engine/native/pack_stages.h"
#include "engine/native/projection.h"
#include "engine/native/row_view.h"
#include "engine/native/work_range.h"
#include "kernels/cells/cell.h"

namespace quadgate::native {

/// One direction of a recurrent layer over time, forward and back: its gates and states.
///
/// c and y have a row for each packed row. The states before the first steps lie in the
/// `initial_rows` before them (see PackedSteps):
///
///     row    | -initial_rows .. -1    | 0 .. N - 1 | N .. N + rows_at(1) - 1 | ...
///     state  | before each first step | of step 0  | of step 1               | ...
///
/// Without a backward pass there is one row of c for each sequence, that of its last step so far.
///
/// A row's bits do not depend on the range and the member that compute it: one core sums each
/// element in one order.
class LayerSteps {
 public:
  /// `weights` and `projection`, null if there is none, must outlive the steps.
  LayerSteps(const LayerWeights& weights, Projection* projection, const RecurrentConfig& config,
             const LayerPlan& plan);

  /// Computes y [rows, features of h] of the work's sequences from x [rows, I]. It finishes a stage
  /// of `stages`, unless null, before it reads W_hh. At return y is complete for all members.
  void forward(const WorkRange& work, const LayerRows& x, const LayerRows& y, PackStages* stages,
               std::int64_t stage);

  /// Makes the gates of a forward pass their derivatives, from dy. Puts the derivatives of x into
  /// dx, or, if `add`, adds them to it. A null dx.data asks for none. At return dx is complete for
  /// all members.
  void backward(const Done<Stack, Step::forward>& forward, const RowView& y, const RowView& dy,
                const RowView& dx, bool add);

  /// The cell state [H] of a row, which is of the sequence at a place; null unless the cell has
  /// one.
  float* c(std::int64_t row, std::int64_t place) noexcept { return c(row, place, 0); }
  /// The derivatives of the states of the sequence at a place. `backward` reads those of its final
  /// states and leaves those of its initial states. d_c is null unless the cell has cell states.
  float* d_h(std::int64_t place) noexcept { return d_h_.data() + place * h_size_; }
  float* d_c(std::int64_t place) noexcept { return d_c(place, 0); }

  const GateArray& gates() const noexcept { return gates_; }

 private:
  using Share = Team::Member::Share;
  /// Rows of a step whose sequences all have a state before it, or all begin.
  struct Rows {
    std::int64_t count;
    std::int64_t row;     // the first
    std::int64_t before;  // the first of the states before the step
    bool has_before;      // else these are zeros
    std::int64_t place;   // of the first sequence
  };

  Rows going_on(const WorkRange& work, std::int64_t t) const noexcept;
  Rows beginning(const WorkRange& work, std::int64_t t) const noexcept;
  std::int64_t before(std::int64_t t) const noexcept { return reverse_ ? t + 1 : t - 1; }
  Share panels_of(const WorkRange& work) const noexcept;
  Share features_of(const WorkRange& work) const noexcept;
  float* c(std::int64_t row, std::int64_t place, std::int64_t unit) noexcept {
    const std::int64_t at = keeps_all_ ? initial_rows_ + row : place;
    return cell_.has_cell_state ? c_.data() + at * hidden_size_ + unit : nullptr;
  }
  float* d_c(std::int64_t place, std::int64_t unit) noexcept {
    return cell_.has_cell_state ? d_c_.data() + place * hidden_size_ + unit : nullptr;
  }

  static std::int64_t serpentine(const Share& panels, std::int64_t i, std::int64_t t,
                                 std::int64_t rows) noexcept;
  std::int64_t project(const WorkRange& work, Share steps, const LayerRows& x);
  void step_forward(const WorkRange& work, std::int64_t t, std::int64_t place, const LayerRows& y);
  void panel_forward(std::int64_t panel, const Rows& rows, std::int64_t place, const LayerRows& y);
  void row_forward(const Share& panels, std::int64_t t, const Rows& row, std::int64_t place,
                   const LayerRows& y);
  kernels::CellForward cell_forward(std::int64_t panel, const Rows& rows, std::int64_t place,
                                    const LayerRows& y) noexcept;
  void project_h(const WorkRange& work, std::int64_t t, const LayerRows& y);
  void step_backward(const WorkRange& work, std::int64_t t, const RowView& y, const RowView& dy);
  kernels::CellBackward cell_backward(std::int64_t panel, const Rows& rows, const RowView& y,
                                      const RowView& dy) noexcept;
  void project_back(const WorkRange& work, Share steps, const RowView& dx, bool add);

  const LayerWeights& weights_;
  const CellKernels& cell_;
  Projection* projection_;
  bool reverse_;
  bool keeps_all_;  // c
  std::int64_t initial_rows_;
  std::int64_t hidden_size_;
  std::int64_t h_size_;
  GateArray gates_;
  Buffer c_;    // [initial rows + capacity, or batch_size, H], LSTM only, as d_c_
  Buffer d_h_;  // [batch_size, features of h]
  Buffer d_c_;  // [batch_size, H]
};

}  // namespace quadgate::native
