#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/recurrent_layer.h"
#include "engine/onednn/gradient.h"
#include "engine/onednn/pieces.h"
#include "engine/onednn/primitives.h"
#include "engine/onednn/slot_arrays.h"
#include "engine/onednn/weights.h"
#include "kernels/matrix/bf16/bf16.h"

namespace quadgate::onednn {

/// One direction of one recurrent layer through oneDNN's training primitives, which take a fixed
/// number of sequences over a number of steps. A slice goes through them piece by piece:
///
///     sequence 0  | x x x x | x x | x |
///     sequence 1  | x x x x | x x | - |
///     sequence 2  | x x x x | - - | - |      - repeats sequence 0, with derivatives of 0
///
/// A piece of f32 whose sequences are all there is read and written where it lies in the pipeline.
class Layer final : public native::RecurrentLayer {
 public:
  /// `parameters` and `gradient` must outlive the layer. Make it within Arena::for_each.
  Layer(const RecurrentConfig& config, const native::LayerPlan& plan, const Parameters& parameters,
        GradientBuffer& gradient, std::shared_ptr<SlotArrays> slots);

  void add_input_pack_tasks(std::vector<PackTask>& tasks) override {
    weights_.add_input_pack_tasks(tasks);
  }
  void add_recurrent_pack_tasks(std::vector<PackTask>& tasks) override {
    weights_.add_recurrent_pack_tasks(tasks);
  }
  std::int64_t recurrent_pieces() const noexcept override {
    return std::ssize(gate_order(shape_.cell));
  }
  void pack_recurrent(std::int64_t piece, const DropoutKey* dropout) override {
    weights_.pack_recurrent(piece, dropout);
  }

  void forward(const native::WorkRange& work, const native::LayerRows& x,
               const native::LayerRows& y, native::PackStages* stages, std::int64_t stage) override;
  void backward(const native::Done<native::Stack, native::Step::forward>& forward,
                const Derivatives& rows) override;

  float* c(std::int64_t row, std::int64_t place) noexcept override {
    return has_c() ? (row < 0 ? c_first_ : c_last_).data() + place * shape_.hidden_size : nullptr;
  }
  float* d_h(std::int64_t place) noexcept override {
    return d_h_.data() + place * shape_.hidden_size;
  }
  float* d_c(std::int64_t place) noexcept override {
    return has_c() ? d_c_.data() + place * shape_.hidden_size : nullptr;
  }

  void add_gradient_tasks(native::TaskList& tasks, const Sides& /*sides*/) override {
    gradient_.add_tasks(tasks);
  }

 private:
  using RowView = native::RowView;
  using WorkRange = native::WorkRange;

  /// What a slice keeps from the forward pass to the backward pass, and its derivatives of states.
  struct Slot {
    std::vector<Piece> pieces;
    Buffer workspace;
    Buffer h_first, h_last, c_first, c_last;      // [pieces, rows, H]
    Buffer dh_first, dh_last, dc_first, dc_last;  // [rows, H]
  };

  bool has_c() const noexcept { return shape_.cell == Cell::lstm; }
  Slot& slot(const WorkRange& work) noexcept { return slots_[static_cast<std::size_t>(work.slot)]; }
  /// Whether oneDNN reads and writes the pipeline's rows.
  bool in_place(const Piece& piece) const noexcept { return !shape_.bf16() && is_whole(piece); }
  bool is_whole(const Piece& piece) const noexcept { return piece.alive == shape_.rows; }
  /// Floats of one row of h, in the shape's precision.
  std::int64_t h_floats() const noexcept {
    return shape_.bf16() ? shape_.h_stride() / 2 : shape_.h_stride();
  }
  float* h(Buffer& states, std::size_t piece, std::int64_t row) noexcept {
    return states.data() + (static_cast<std::int64_t>(piece) * shape_.rows + row) * h_floats();
  }
  float* cell(Buffer& states, std::size_t piece, std::int64_t row) noexcept {
    return states.data() +
           (static_cast<std::int64_t>(piece) * shape_.rows + row) * shape_.hidden_size;
  }

  PieceArrays arrays(const WorkRange& work, std::size_t number, const RowView& x, const RowView& y);
  void load_states(const WorkRange& work, std::size_t number, const RowView& y);
  void load(const WorkRange& work, const Piece& piece, const RowView& from, std::int64_t width,
            float* to, std::int64_t to_stride);
  void store_output(const WorkRange& work, const Piece& piece, const RowView& y);
  void store_cells(const WorkRange& work, std::size_t number);
  void load_derivatives(const WorkRange& work, const Piece& piece, const RowView& dy);
  void store_derivatives(const WorkRange& work, const Piece& piece, const RowView& dx, bool add);

  LayerShape shape_;
  std::int64_t initial_rows_;
  Primitives primitives_;
  std::vector<std::size_t> workspaces_;  // floats, by number of steps
  Weights weights_;
  Gradient gradient_;
  std::shared_ptr<SlotArrays> shared_;
  std::vector<Slot> slots_;
  kernels::Bf16RowsKernel round_rows_;
  Buffer c_first_, c_last_;  // [batch_size, H], of an LSTM
  Buffer d_h_, d_c_;         // [batch_size, H]
};

}  // namespace quadgate::onednn
