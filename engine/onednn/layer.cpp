#include "engine/onednn/layer.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

#include "engine/base/stopwatch.h"

namespace quadgate::onednn {
namespace {

using Weight = Primitives::Weight;

LayerShape shape_of(const RecurrentConfig& config, const native::LayerPlan& plan) {
  return {.cell = config.cell,
          .precision = plan.precision,
          .reverse = plan.reverse,
          .seq_len = plan.capacity / plan.batch_size,
          .rows = plan.slices.rows,
          .input_size = config.layer_input_size(plan.layer),
          .hidden_size = config.hidden_size,
          .y_width = config.output_size()};
}

/// Floats from bf16, which travel as pairs (see kernels/matrix/bf16/bf16.h).
void widen(const float* pairs, std::int64_t size, float* to) noexcept {
  for (std::int64_t i = 0; i < size; ++i) {
    const auto pair = std::bit_cast<std::uint32_t>(pairs[i / 2]);
    to[i] = std::bit_cast<float>(i % 2 == 0 ? pair << 16U : pair & 0xffff0000U);
  }
}

}  // namespace

Layer::Layer(const RecurrentConfig& config, const native::LayerPlan& plan,
             const Parameters& parameters, GradientBuffer& gradient,
             std::shared_ptr<SlotArrays> slots)
    : shape_(shape_of(config, plan)),
      initial_rows_(plan.initial_rows),
      primitives_(shape_, plan.slots),
      weights_(config, plan, primitives_, parameters),
      gradient_(shape_, plan, primitives_.gradient_layout(), weights_, parameters, gradient),
      shared_(std::move(slots)),
      round_rows_(kernels::bf16_rows_kernel(plan.isa)) {
  const std::span<const std::int64_t> lengths = primitives_.steps();
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    workspaces_.push_back(primitives_.workspace_size(i));
  }
  const std::size_t pieces = most_pieces(shape_.rows, lengths);
  const std::size_t states = floats(shape_.rows, shape_.hidden_size);
  const std::size_t cells = has_c() ? states : 0;
  slots_.resize(static_cast<std::size_t>(plan.slots));
  for (Slot& one : slots_) {
    one.pieces.reserve(pieces);
    one.workspace = Buffer(most_workspace(pieces, lengths, workspaces_));
    one.h_first = Buffer(pieces * floats(shape_.rows, h_floats()));
    one.h_last = Buffer(one.h_first.size());
    one.c_first = Buffer(pieces * cells);
    one.c_last = Buffer(pieces * cells);
    one.dh_first = Buffer(states);
    one.dh_last = Buffer(states);
    one.dc_first = Buffer(cells);
    one.dc_last = Buffer(cells);
  }
  const auto rows = static_cast<std::size_t>(shape_.seq_len * shape_.rows);
  shared_->plan(plan.slots,
                {.scratchpad = primitives_.scratchpad_size(),
                 .x = rows * static_cast<std::size_t>(shape_.x_stride()),
                 .y = rows * static_cast<std::size_t>(shape_.y_stride()),
                 .dx = rows * static_cast<std::size_t>(plan.forward_only ? 0 : shape_.input_size),
                 .dy = rows * static_cast<std::size_t>(plan.forward_only ? 0 : shape_.y_width)});
  const std::size_t all = floats(plan.batch_size, shape_.hidden_size);
  if (has_c()) {
    c_first_ = Buffer(all);
    c_last_ = Buffer(all);
  }
  if (plan.forward_only) return;
  d_h_ = Buffer(all);
  if (has_c()) d_c_ = Buffer(all);
}

/// The arrays of a piece but for the weights. x and y are in place, or a copy of what is there.
PieceArrays Layer::arrays(const WorkRange& work, std::size_t number, const RowView& x,
                          const RowView& y) {
  Slot& its = slot(work);
  SlotArrays::Arrays& shared = shared_->of(work.slot);
  const Piece& piece = its.pieces[number];
  const std::int64_t row = work.row(piece.first);
  if (!in_place(piece)) load(work, piece, x, shape_.input_size, shared.x.data(), shape_.x_stride());
  return {.x = in_place(piece) ? x.at(row) : shared.x.data(),
          .h_first = h(its.h_first, number, 0),
          .c_first = cell(its.c_first, number, 0),
          .y = in_place(piece) ? y.at(row) : shared.y.data(),
          .h_last = h(its.h_last, number, 0),
          .c_last = cell(its.c_last, number, 0),
          .bias = weights_.bias(),
          .workspace = its.workspace.data() + piece.workspace,
          .scratchpad = shared.scratchpad.data()};
}

/// Copies the rows of a piece to [steps, rows, width], rounded in bf16. Missing sequences are
/// sequence 0: anything else could grow beyond all numbers.
void Layer::load(const WorkRange& work, const Piece& piece, const RowView& from, std::int64_t width,
                 float* to, std::int64_t to_stride) {
  const std::int64_t floats_a_row = shape_.bf16() ? to_stride / 2 : to_stride;
  for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
    for (std::int64_t i = 0; i < shape_.rows; ++i, to += floats_a_row) {
      const float* const row = from.at(work.row(t) + (i < piece.alive ? i : 0));
      if (shape_.bf16()) {
        round_rows_(
            {.rows = 1, .columns = width, .from = row, .from_stride = 0, .to = to, .to_stride = 0});
      } else {
        std::copy_n(row, width, to);
      }
    }
  }
}

/// The states in front of a piece: those behind the one before, or where a sequence begins.
void Layer::load_states(const WorkRange& work, std::size_t number, const RowView& y) {
  Slot& its = slot(work);
  const Piece& piece = its.pieces[number];
  const std::int64_t size = shape_.hidden_size;
  for (std::int64_t i = 0; i < shape_.rows; ++i) {
    float* const to = h(its.h_first, number, i);
    float* const c_to = has_c() ? cell(its.c_first, number, i) : nullptr;
    const std::int64_t place = work.first + i;
    if (i < piece.before) {
      std::copy_n(h(its.h_last, number - 1, i), h_floats(), to);
      if (has_c()) std::copy_n(cell(its.c_last, number - 1, i), size, c_to);
    } else if (i >= piece.alive) {
      std::copy_n(h(its.h_first, number, 0), h_floats(), to);
      if (has_c()) std::copy_n(cell(its.c_first, number, 0), size, c_to);
    } else if (initial_rows_ == 0) {
      std::fill_n(to, h_floats(), 0.0F);
      if (has_c()) std::fill_n(c_to, size, 0.0F);
    } else {
      const float* const from = y.at(place - initial_rows_);
      if (shape_.bf16()) {
        round_rows_(
            {.rows = 1, .columns = size, .from = from, .from_stride = 0, .to = to, .to_stride = 0});
      } else {
        std::copy_n(from, size, to);
      }
      if (has_c()) std::copy_n(c_first_.data() + place * size, size, c_to);
    }
  }
}

void Layer::forward(const WorkRange& work, const native::LayerRows& x, const native::LayerRows& y,
                    native::PackStages* stages, std::int64_t stage) {
  if (stages != nullptr) stages->finish(stage, work.times);
  const Stopwatch stopwatch(work.times, Phase::recurrence_forward);
  Slot& its = slot(work);
  const native::PackedSteps& steps = work.pass.steps;
  cut(steps, steps.slice_of(work.first), shape_.reverse, primitives_.steps(), workspaces_,
      its.pieces);
  for (std::size_t number = 0; number < its.pieces.size(); ++number) {
    const Piece& piece = its.pieces[number];
    load_states(work, number, y.rows);
    PieceArrays arrays = this->arrays(work, number, x.rows, y.rows);
    arrays.weight_ih = weights_.packed(Weight::forward_ih);
    arrays.weight_hh = weights_.packed(Weight::forward_hh);
    primitives_.forward(work.slot, piece.length, arrays);
    if (!in_place(piece)) store_output(work, piece, y.rows);
    if (has_c()) store_cells(work, number);
  }
}

void Layer::store_output(const WorkRange& work, const Piece& piece, const RowView& y) {
  const float* from = shared_->of(work.slot).y.data();
  const std::int64_t stride = shape_.bf16() ? shape_.y_stride() / 2 : shape_.y_stride();
  for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
    for (std::int64_t i = 0; i < piece.alive; ++i) {
      float* const to = y.at(work.row(t) + i);
      shape_.bf16() ? widen(from + i * stride, shape_.hidden_size, to)
                    : static_cast<void>(std::copy_n(from + i * stride, shape_.hidden_size, to));
    }
    from += shape_.rows * stride;
  }
}

/// Those of the sequences that end with a piece.
void Layer::store_cells(const WorkRange& work, std::size_t number) {
  const std::int64_t size = shape_.hidden_size;
  const Piece& piece = slot(work).pieces[number];
  for (std::int64_t i = piece.behind; i < piece.alive; ++i) {
    std::copy_n(cell(slot(work).c_last, number, i), size, c_last_.data() + (work.first + i) * size);
  }
}

void Layer::backward(const native::Done<native::Stack, native::Step::forward>& forward,
                     const Derivatives& rows) {
  const WorkRange& work = forward.work();
  const Stopwatch stopwatch(work.times, Phase::recurrence_backward);
  Slot& its = slot(work);
  SlotArrays::Arrays& shared = shared_->of(work.slot);
  const std::int64_t slice = work.pass.steps.slice_of(work.first);
  PieceDerivatives derivatives{.dx = nullptr,
                               .dh_first = its.dh_first.data(),
                               .dc_first = its.dc_first.data(),
                               .dy = nullptr,
                               .dh_last = its.dh_last.data(),
                               .dc_last = its.dc_last.data()};
  gradient_.begin(work.slot, slice, derivatives);
  for (std::size_t number = its.pieces.size(); number-- > 0;) {
    const Piece& piece = its.pieces[number];
    const bool dx_in_place = is_whole(piece) && rows.dx.data != nullptr && !rows.add;
    PieceArrays arrays = this->arrays(work, number, rows.x, rows.y);
    if (!in_place(piece)) {
      load(work, piece, rows.y, shape_.hidden_size, shared.y.data(), shape_.y_stride());
    }
    arrays.weight_ih = weights_.packed(Weight::backward_ih);
    arrays.weight_hh = weights_.packed(Weight::backward_hh);
    load_derivatives(work, piece, rows.dy);
    derivatives.dy = is_whole(piece) ? rows.dy.at(work.row(piece.first)) : shared.dy.data();
    derivatives.dx = dx_in_place ? rows.dx.at(work.row(piece.first)) : shared.dx.data();
    primitives_.backward(work.slot, piece.length, arrays, derivatives);
    if (!dx_in_place && rows.dx.data != nullptr) store_derivatives(work, piece, rows.dx, rows.add);
    for (std::int64_t i = piece.before; i < piece.alive; ++i) {  // the sequences that begin
      const std::int64_t size = shape_.hidden_size;
      std::copy_n(its.dh_first.data() + i * size, size, d_h(work.first + i));
      if (has_c()) std::copy_n(its.dc_first.data() + i * size, size, d_c(work.first + i));
    }
  }
}

/// Those of the states behind a piece, and of its y where that is not in place.
void Layer::load_derivatives(const WorkRange& work, const Piece& piece, const RowView& dy) {
  Slot& its = slot(work);
  const std::int64_t size = shape_.hidden_size;
  const auto load = [&](Buffer& last, const Buffer& first, const Buffer& final) {
    std::copy_n(first.data(), piece.behind * size, last.data());
    std::copy_n(final.data() + (work.first + piece.behind) * size,
                (piece.alive - piece.behind) * size, last.data() + piece.behind * size);
    std::fill(last.data() + piece.alive * size, last.data() + last.size(), 0.0F);
  };
  load(its.dh_last, its.dh_first, d_h_);
  if (has_c()) load(its.dc_last, its.dc_first, d_c_);
  if (is_whole(piece)) return;
  float* to = shared_->of(work.slot).dy.data();
  for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
    for (std::int64_t i = 0; i < shape_.rows; ++i, to += shape_.y_width) {
      i < piece.alive ? std::copy_n(dy.at(work.row(t) + i), size, to) : std::fill_n(to, size, 0.0F);
    }
  }
}

void Layer::store_derivatives(const WorkRange& work, const Piece& piece, const RowView& dx,
                              bool add) {
  const std::int64_t size = shape_.input_size;
  const float* from = shared_->of(work.slot).dx.data();
  for (std::int64_t t = piece.first; t < piece.first + piece.steps; ++t) {
    for (std::int64_t i = 0; i < piece.alive; ++i) {
      float* const to = dx.at(work.row(t) + i);
      for (std::int64_t k = 0; k < size; ++k) to[k] = from[i * size + k] + (add ? to[k] : 0.0F);
    }
    from += shape_.rows * size;
  }
}

}  // namespace quadgate::onednn
