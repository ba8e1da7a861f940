#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/dropout.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/cell_kernels.h"
#include "engine/native/layer_plan.h"
#include "engine/native/packed_steps.h"
#include "engine/native/packed_weight.h"
#include "engine/native/pass.h"
#include "engine/native/projection.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "engine/native/work_range.h"
#include "kernels/matrix/product/product.h"

namespace quadgate::native {

/// One direction of one recurrent layer for whole batches: packed weights, gates and states of all
/// steps. Each result is summed by one core in one order, so its bits do not depend on who computes
/// what: ranges of sequences, members of a team, tiles of the weight gradients.
class Layer {
 public:
  /// Plans all memory; `parameters` must outlive the layer.
  Layer(const CellKernels& cell, const RecurrentConfig& config, const LayerPlan& plan,
        const Parameters& parameters, GradientBuffer& gradient);

  /// Tasks that take over changed weights: all of them, or, with weight_dropout, all but W_hh. The
  /// layer must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);
  /// With weight_dropout: takes over a piece of W_hh as it is, or, if there is a key, dropped.
  std::int64_t recurrent_pieces() const noexcept { return hh_.packed.pieces(); }
  void pack_recurrent(std::int64_t piece, const DropoutKey* dropout);

  /// y [rows, features of h] of the work's sequences from x [rows, I], complete for all members at
  /// return.
  void forward(const WorkRange& work, const LayerRows& x, const LayerRows& y);

  /// After `forward`: derivatives of the gates from dy, and those of x, unless dx.data is null,
  /// which are added to dx if `add`. At return, dx is complete for all members.
  void backward(const WorkRange& work, const RowView& y, const RowView& dy, const RowView& dx,
                bool add);

  /// The cell state [H] of a packed row, or, at place - front, of the sequence before its first
  /// step; null unless the cell has one.
  float* c(std::int64_t row) noexcept { return state(row, 0); }
  /// The derivatives of the states of the sequence at a place: before `backward` set to those of
  /// its final states, after it those of its initial states, if it has such. d_c is null unless the
  /// cell has cell states.
  float* d_h(std::int64_t place) noexcept { return dh_.data() + place * h_size_; }
  float* d_c(std::int64_t place) noexcept { return d_state(place, 0); }

  /// A part of the weight gradients: of some gate panels, the columns of a tile of W_ih or W_hh.
  struct GradientPart {
    bool recurrent = false;  ///< of W_hh
    Team::Member::Share panels{};
    std::int64_t column = 0;  ///< counted in tiles
    double cost = 0;          ///< multiply-adds for each packed row

    std::int64_t squares() const noexcept { return panels.end - panels.begin; }
  };
  /// All parts, and those of the projection as tasks. They are larger the fewer `cores` share them;
  /// one's sums of squares, one of each panel, follow each other in an order that does not depend
  /// on that.
  std::vector<GradientPart> gradient_parts(int cores) const;
  void add_projection_tasks(TaskList& tasks, std::int64_t capacity) {
    if (projection_) projection_->add_gradient_tasks(tasks, capacity);
  }
  /// After `backward` for all sequences: the part's gradients, to those of the parameters, and the
  /// sum of the squares for each panel.
  void gradient(const GradientPart& part, const Pass& pass, const LayerRows& x, const LayerRows& y,
                double* squares);

 private:
  struct Product {
    PackedWeight packed;
    std::int64_t inputs = 0;    // columns of the weight
    std::int64_t parts = 1;     // equal pieces of them, where their words lie apart
    float* gradient = nullptr;  // [gates * H, inputs]
    std::span<const float> bias;
    FlatRange bias_range;  // in the flat arrays
    float* bias_gradient = nullptr;
  };
  using Share = Team::Member::Share;

  Product plan(const CellKernels::Slots& slots, const std::string& kind, const LayerPlan& plan,
               const Parameters& parameters, GradientBuffer& gradient) const;
  std::vector<std::int64_t> rows_of(const CellKernels::Slots& slots) const;
  void pack_bias();
  float* gates(std::int64_t panel, std::int64_t row) const noexcept;
  float* inputs(std::int64_t panel, std::int64_t row, std::int64_t place) const noexcept;
  std::int64_t first_place(const WorkRange& work) const noexcept {
    return work.first * steps_at_once_;
  }
  float* state(std::int64_t row, std::int64_t unit) noexcept {
    return cell_.has_cell_state ? c_.data() + (front_ + row) * hidden_size_ + unit : nullptr;
  }
  float* d_state(std::int64_t row, std::int64_t unit) noexcept {
    return cell_.has_cell_state ? dc_.data() + row * hidden_size_ + unit : nullptr;
  }
  kernels::Lhs d_gates(const CellKernels::Slots& slots, std::int64_t row) const noexcept;
  std::int64_t tile_columns(const Product& product) const noexcept;
  Share panels_of(const WorkRange& work) const noexcept;
  std::int64_t units_of(std::int64_t panel) const noexcept;
  Share share_of(const WorkRange& work, std::int64_t size) const noexcept;
  std::int64_t before(std::int64_t t) const noexcept { return reverse_ ? t + 1 : t - 1; }
  static std::int64_t serpentine(const Share& panels, std::int64_t i, std::int64_t t,
                                 std::int64_t rows) noexcept;

  std::int64_t project(const WorkRange& work, Share steps, const LayerRows& x);
  void step_forward(const WorkRange& work, std::int64_t t, std::int64_t place, const LayerRows& y);
  void step_backward(const WorkRange& work, std::int64_t t, const RowView& y, const RowView& dy);
  void project_back(const WorkRange& work, Share steps, const RowView& dx, bool add);
  std::int64_t tile_panels(int cores) const noexcept;
  double bias_gradient(std::int64_t panel, const float* sums);
  double drop_gradient(const DropoutKey& key, float* tile, std::int64_t rows, std::int64_t column,
                       std::int64_t columns) const noexcept;
  GradientPart gradient_part(bool recurrent, Share panels, std::int64_t column) const noexcept;

  CellKernels cell_;
  std::int64_t layer_;
  bool reverse_;
  bool bf16_;
  bool has_bias_;
  std::int64_t front_;  // rows before packed row 0 of y and c: the initial states
  std::int64_t hidden_size_;
  std::int64_t h_size_;
  std::int64_t panels_;
  Product ih_, hh_;
  Dropout weight_dropout_;
  Buffer dropped_hh_;           // [gates * H, features of h], with weight_dropout
  Buffer bias_;                 // [panels, width]: where the gates start
  std::int64_t panel_stride_;   // between the panels of gates_
  mutable Buffer gates_;        // then their derivatives; in bf16 words
  std::int64_t steps_at_once_;  // of an input product
  std::int64_t inputs_stride_;  // between the panels of inputs_
  mutable Buffer inputs_;       // bf16: what goes into the gates, of so many steps
  Buffer c_;                    // LSTM only, as dc_
  std::optional<Projection> projection_;
  Buffer dh_;  // [batch_size, features of h]
  Buffer dc_;  // [batch_size, H]
};

}  // namespace quadgate::native
