#include "engine/native/layer.h"

#include <algorithm>
#include <optional>

#include "engine/base/stopwatch.h"

namespace quadgate::native {

using kernels::Output;

void Layer::forward(const WorkRange& work, const LayerRows& x, const LayerRows& y) {
  const std::int64_t seq_len = work.pass.steps.seq_len();
  for (std::int64_t done = 0; done < seq_len; done += steps_at_once_) {
    const std::int64_t count = std::min(steps_at_once_, seq_len - done);
    const std::int64_t first = reverse_ ? seq_len - done - count : done;
    const std::int64_t end = project(work, {first, first + count}, x);
    const Stopwatch stopwatch(work.times, Phase::recurrence_forward);
    std::int64_t place = reverse_ ? end : first_place(work);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t t = reverse_ ? first + count - 1 - i : first + i;
      if (reverse_) place -= work.rows(t);
      step_forward(work, t, place, y);
      if (!reverse_) place += work.rows(t);
      work.member.wait();
    }
  }
}

/// The inputs of the work's sequences at `steps`, from x. Returns the place of inputs behind the
/// last.
std::int64_t Layer::project(const WorkRange& work, Share steps, const LayerRows& x) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto panels = panels_of(work);
  const std::int64_t width = cell_.width();
  const std::int64_t first_slot = cell_.ih.first * cell_.units;
  const std::int64_t columns = cell_.ih.count() * cell_.units;
  const RowView& rows = bf16_ ? x.words : x.rows;
  std::int64_t place = first_place(work);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const float* bias = bias_.data() + panel * width;
    place = first_place(work);
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      float* to = inputs(panel, first, place);
      place += count;
      cell_.matrix.product(count, ih_.packed.forward().depth(),
                           {.data = rows.at(first),
                            .row_stride = rows.stride,
                            .step = 1,
                            .run = bf16_ ? rows.stride : ih_.inputs,
                            .run_stride = x.word_parts_stride},
                           ih_.packed.forward().panel(panel),
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

void Layer::step_forward(const WorkRange& work, std::int64_t t, std::int64_t place,
                         const LayerRows& y) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const RowView h = projection_ ? projection_->m() : y.rows;
  const RowView& left = bf16_ ? y.words : y.rows;
  const bool rounds = bf16_ && !projection_;
  const bool pairs = rows == 1 && old_rows == 1 && cell_.forward_pair != nullptr;
  std::optional<kernels::CellForward> waiting;  // for the other panel of its pair
  for (std::int64_t i = panels.begin; i < panels.end; ++i) {
    const std::int64_t panel = serpentine(panels, i, t, rows);
    const std::int64_t unit = panel * cell_.units;
    kernels::CellForward step{.rows = old_rows,
                              .units = units_of(panel),
                              .depth = hh_.packed.forward().depth(),
                              .left = nullptr,
                              .left_stride = left.stride,
                              .weight_hh = hh_.packed.forward().panel(panel),
                              .inputs = inputs(panel, row, place),
                              .gates = gates(panel, row),
                              .h_prev = nullptr,
                              .h_prev_stride = y.rows.stride,
                              .c_prev = nullptr,
                              .c = state(row, unit),
                              .c_stride = hidden_size_,
                              .h = h.at(row) + unit,
                              .h_stride = h.stride,
                              .h_pairs = rounds ? y.words.at(row) + unit / 2 : nullptr,
                              .h_pairs_stride = y.words.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.left = left.at(old_row);
      step.h_prev = projection_ ? nullptr : y.rows.at(old_row) + unit;  // of no use to an LSTM
      step.c_prev = state(old_row, unit);
      if (!pairs) {
        cell_.forward(step);
      } else if (waiting) {
        cell_.forward_pair(*waiting, step);
        waiting.reset();
      } else {
        waiting = step;
      }
    }
    if (rows > old_rows) {  // sequences that begin at this step
      step.rows = rows - old_rows;
      const std::int64_t initial = work.first + old_rows - front_;
      step.left = front_ == 0 ? nullptr : left.at(initial);
      step.h_prev = front_ == 0 || projection_ ? nullptr : y.rows.at(initial) + unit;
      step.c_prev = front_ == 0 ? nullptr : state(initial, unit);
      step.inputs += old_rows * cell_.width();
      step.gates = gates(panel, row + old_rows);
      step.c = state(row + old_rows, unit);
      step.h += old_rows * h.stride;
      if (rounds) step.h_pairs += old_rows * y.words.stride;
      cell_.forward(step);
    }
  }
  if (waiting) cell_.forward(*waiting);
  if (!projection_) return;
  projection_->forward(work, t, y.rows);
  const Share features = share_of(work, h_size_);
  if (bf16_ && features.begin < features.end) {
    cell_.matrix.round_rows({.rows = rows,
                             .columns = features.end - features.begin,
                             .from = y.rows.at(row) + features.begin,
                             .from_stride = y.rows.stride,
                             .to = y.words.at(row) + features.begin / 2,
                             .to_stride = y.words.stride});
  }
}

}  // namespace quadgate::native
