#include <algorithm>

#include "engine/base/stopwatch.h"
#include "engine/native/layer_steps.h"

namespace quadgate::native {

using kernels::Output;

void LayerSteps::forward(const WorkRange& work, const LayerRows& x, const LayerRows& y,
                         PackStages* stages, std::int64_t stage) {
  const std::int64_t seq_len = work.pass.steps.seq_len();
  // While W_hh is on its way, there is time for the input product of all steps.
  const bool ahead = stages != nullptr && gates_.holds_all_inputs() && !stages->is_there(stage);
  if (ahead) project(work, {0, seq_len}, x);
  if (stages != nullptr) stages->finish(stage, work.times);
  const std::int64_t at_once = gates_.steps_at_once();
  for (std::int64_t done = 0; done < seq_len; done += at_once) {
    const std::int64_t count = std::min(at_once, seq_len - done);
    const std::int64_t first = reverse_ ? seq_len - done - count : done;
    const std::int64_t end = ahead ? 0 : project(work, {first, first + count}, x);
    const Stopwatch stopwatch(work.times, Phase::recurrence_forward);
    std::int64_t place = reverse_ ? end : gates_.first_place(work);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t t = reverse_ ? first + count - 1 - i : first + i;
      if (reverse_) place -= work.rows(t);
      step_forward(work, t, place, y);
      if (!reverse_) place += work.rows(t);
      work.member.wait();
    }
  }
}

/// The sums that go into the gates at `steps`, from x. Returns the place behind the last.
std::int64_t LayerSteps::project(const WorkRange& work, Share steps, const LayerRows& x) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto panels = panels_of(work);
  const PackedMatrix& matrix = weights_.ih().forward();
  const std::int64_t width = cell_.width();
  const std::int64_t first_slot = cell_.ih.first * cell_.units;
  const std::int64_t columns = cell_.ih.count() * cell_.units;
  const RowView& rows = gates_.bf16() ? x.pairs : x.rows;
  std::int64_t place = gates_.first_place(work);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const float* const bias = weights_.bias(panel);
    place = gates_.first_place(work);
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      float* const to = gates_.inputs(panel, first, place);
      place += count;
      cell_.matrix.product(count, matrix.depth(),
                           {.data = rows.at(first),
                            .row_stride = rows.stride,
                            .step = 1,
                            .run = gates_.bf16() ? rows.stride : weights_.ih().columns(),
                            .run_stride = x.pair_parts_stride},
                           matrix.panel(panel),
                           {.data = to + first_slot,
                            .stride = width,
                            .columns = columns,
                            .start = Output::Start::bias,
                            .bias = bias + first_slot});
      for (std::int64_t slot = first_slot + columns; slot < width && columns < width; ++slot) {
        for (std::int64_t row = 0; row < count; ++row) to[row * width + slot] = bias[slot];
      }
    });
  }
  return place;
}

kernels::CellForward LayerSteps::cell_forward(std::int64_t panel, const Rows& rows,
                                              std::int64_t place, const LayerRows& y) noexcept {
  const std::int64_t unit = weights_.panels().first_unit(panel);
  const PackedMatrix& matrix = weights_.hh().forward();
  const RowView& left = gates_.bf16() ? y.pairs : y.rows;
  const RowView h = projection_ != nullptr ? projection_->m() : y.rows;
  const std::int64_t h_row =
      projection_ != nullptr ? projection_->m_row(rows.row, rows.place) : rows.row;
  const bool rounds = gates_.bf16() && projection_ == nullptr;
  const bool reads_h = rows.has_before && projection_ == nullptr;  // an LSTM does not
  return {.rows = rows.count,
          .units = weights_.panels().units_of(panel),
          .depth = matrix.depth(),
          .left = rows.has_before ? left.at(rows.before) : nullptr,
          .left_stride = left.stride,
          .weight_hh = matrix.panel(panel),
          .inputs = gates_.inputs(panel, rows.row, place),
          .gates = gates_.gates(panel, rows.row, place),
          .h_prev = reads_h ? y.rows.at(rows.before) + unit : nullptr,
          .h_prev_stride = y.rows.stride,
          .c_prev = rows.has_before ? c(rows.before, rows.place, unit) : nullptr,
          .c = c(rows.row, rows.place, unit),
          .c_stride = hidden_size_,
          .h = h.at(h_row) + unit,
          .h_stride = h.stride,
          .h_pairs = rounds ? y.pairs.at(rows.row) + unit / 2 : nullptr,
          .h_pairs_stride = y.pairs.stride};
}

void LayerSteps::step_forward(const WorkRange& work, std::int64_t t, std::int64_t place,
                              const LayerRows& y) {
  const Rows old = going_on(work, t);
  const Rows fresh = beginning(work, t);
  const auto panels = panels_of(work);
  if (cell_.forward_pair != nullptr && old.count + fresh.count == 1 &&
      (old.count == 1 || fresh.has_before)) {
    row_forward(panels, t, old.count == 1 ? old : fresh, place, y);
  } else {
    for (std::int64_t i = panels.begin; i < panels.end; ++i) {
      const std::int64_t panel = serpentine(panels, i, t, old.count + fresh.count);
      if (old.count > 0) panel_forward(panel, old, place, y);
      if (fresh.count > 0) panel_forward(panel, fresh, place + old.count, y);
    }
  }
  if (projection_ != nullptr) project_h(work, t, y);
}

/// In tiles, the product of a step comes in front of it: they give their sums to memory alone.
void LayerSteps::panel_forward(std::int64_t panel, const Rows& rows, std::int64_t place,
                               const LayerRows& y) {
  kernels::CellForward step = cell_forward(panel, rows, place, y);
  if (cell_.matrix.arithmetic == kernels::Arithmetic::tiles && step.left != nullptr) {
    cell_.matrix.product(
        step.rows, step.depth,
        {.data = step.left,
         .row_stride = step.left_stride,
         .step = 1,
         .run = step.depth,
         .run_stride = 0},
        step.weight_hh,
        {.data = gates_.inputs(panel, rows.row, place) + cell_.hh.first * cell_.units,
         .stride = cell_.width(),
         .columns = cell_.hh.count() * cell_.units,
         .start = Output::Start::add,
         .bias = nullptr});
    step.left = nullptr;
  }
  cell_.forward(step);
}

/// A step of one row that has a state before it, two panels at once.
void LayerSteps::row_forward(const Share& panels, std::int64_t t, const Rows& row,
                             std::int64_t place, const LayerRows& y) {
  const auto step = [&](std::int64_t i) {
    return cell_forward(serpentine(panels, i, t, 1), row, place, y);
  };
  std::int64_t i = panels.begin;
  for (; i + 1 < panels.end; i += 2) cell_.forward_pair(step(i), step(i + 1));
  if (i < panels.end) cell_.forward(step(i));
}

void LayerSteps::project_h(const WorkRange& work, std::int64_t t, const LayerRows& y) {
  projection_->forward(work, t, y.rows);
  const Share features = features_of(work);
  if (!gates_.bf16() || features.begin == features.end) return;
  const std::int64_t row = work.row(t);
  cell_.matrix.round_rows({.rows = work.rows(t),
                           .columns = features.end - features.begin,
                           .from = y.rows.at(row) + features.begin,
                           .from_stride = y.rows.stride,
                           .to = y.pairs.at(row) + features.begin / 2,
                           .to_stride = y.pairs.stride});
}

}  // namespace quadgate::native
