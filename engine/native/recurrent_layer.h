#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "engine/backend/pack_task.h"
#include "engine/model/config.h"
#include "engine/model/dropout_key.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/network_options.h"
#include "engine/model/parameters.h"
#include "engine/native/done.h"
#include "engine/native/layer_plan.h"
#include "engine/native/pack_stages.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

/// One direction of one recurrent layer for whole batches, as a Stack runs it. Layer is one of our
/// own kernels, onednn::Layer another.
///
/// y has a row for each packed row. h before the first steps lies in the `initial_rows` of the plan
/// in front of it (see PackedSteps):
///
///     row    | -initial_rows .. -1    | 0 ..
///     state  | before each first step | of the packed rows
///
/// A row's bits do not depend on who computes it.
class RecurrentLayer {
 public:
  RecurrentLayer() = default;
  RecurrentLayer(const RecurrentLayer&) = delete;
  RecurrentLayer& operator=(const RecurrentLayer&) = delete;
  virtual ~RecurrentLayer() = default;

  /// Tasks that take over changed weights: those of the product with x, and the others, which with
  /// weight_dropout take W_hh over no further than to where `pack_recurrent` reads it. The layer
  /// must stay where it is, also for other tasks.
  virtual void add_input_pack_tasks(std::vector<PackTask>& tasks) = 0;
  virtual void add_recurrent_pack_tasks(std::vector<PackTask>& tasks) = 0;
  /// With weight_dropout: W_hh is packed in so many pieces, each dropped if there is a key.
  virtual std::int64_t recurrent_pieces() const noexcept = 0;
  virtual void pack_recurrent(std::int64_t piece, const DropoutKey* dropout) = 0;

  /// Computes y [rows, features of h] of the work's sequences from x [rows, I]. It finishes a stage
  /// of `stages`, unless null, before it reads W_hh. At return y is complete for all members.
  virtual void forward(const WorkRange& work, const LayerRows& x, const LayerRows& y,
                       PackStages* stages, std::int64_t stage) = 0;

  /// What a backward pass reads and writes.
  struct Derivatives {
    RowView x;  ///< as in the forward pass, like y
    RowView y;
    RowView dy;
    RowView dx;        ///< null: nobody asks for it
    bool add = false;  ///< to what is in dx, rather than replacing it
  };
  /// Computes dx from dy, and what the gradients of the weights are made of. At return dx is
  /// complete for all members.
  virtual void backward(const Done<Stack, Step::forward>& forward, const Derivatives& rows) = 0;

  /// The cell state [H] of the sequence at a place, before its first step (row < 0) or at its last,
  /// which is packed row `row`; null unless the cell has one.
  virtual float* c(std::int64_t row, std::int64_t place) noexcept = 0;
  /// The derivatives of the states of the sequence at a place. `backward` reads those of its final
  /// states and leaves those of its initial states. d_c is null unless the cell has cell states.
  virtual float* d_h(std::int64_t place) noexcept = 0;
  virtual float* d_c(std::int64_t place) noexcept = 0;

  /// What the layer has read and written in a pass.
  struct Sides {
    LayerRows x;          ///< without dropout
    LayerRows dropped_x;  ///< with it
    LayerRows y;
  };
  /// Tasks that compute the gradients of the weights.
  virtual void add_gradient_tasks(TaskList& tasks, const Sides& sides) = 0;
};

/// Recurrent layers that are not Layers: who makes them, and what they want of the pipeline.
struct LayerKind {
  BackendKind backend = BackendKind::native;
  std::int64_t slice_rows = 0;  ///< see Slices
  std::function<std::unique_ptr<RecurrentLayer>(const RecurrentConfig& config,
                                                const LayerPlan& plan, const Parameters& parameters,
                                                GradientBuffer& gradient)>
      make;
};

}  // namespace quadgate::native
