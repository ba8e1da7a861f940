#include "engine/native_layer.h"

#include <algorithm>
#include <optional>

#include "engine/stopwatch.h"
#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"

namespace quadgate {

using kernels::ProductTarget;

void NativeLayer::forward(const NativeWork& work, const LayerRows& x, const LayerRows& y) {
  const std::int64_t seq_len = work.steps.seq_len();
  const std::int64_t at_once = steps_at_once(work);
  for (std::int64_t done = 0; done < seq_len; done += at_once) {
    const std::int64_t count = std::min(at_once, seq_len - done);
    const std::int64_t first = reverse_ ? seq_len - done - count : done;
    project(work, {first, first + count}, x);
    const Stopwatch stopwatch(work.times, Phase::recurrence_forward);
    for (std::int64_t i = 0; i < count; ++i) {
      step_forward(work, reverse_ ? first + count - 1 - i : first + i, y);
      work.member.wait();
    }
  }
}

void NativeLayer::project(const NativeWork& work, Share steps, const LayerRows& x) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto panels = panels_of(work);
  const std::int64_t width = cell_.width();
  const std::int64_t first_slot = cell_.ih.first * cell_.units;
  const std::int64_t columns = cell_.ih.count() * cell_.units;
  const PackedRows& rows = bf16_ ? x.words : x.rows;
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const float* bias = bias_.data() + panel * width;
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      float* to = gates(panel, first);
      product_(count, ih_.forward.depth(),
               {.data = rows.at(first),
                .row_stride = rows.stride,
                .step = 1,
                .run = bf16_ ? rows.stride : ih_.inputs,
                .run_stride = x.word_parts_stride},
               ih_.forward.panel(panel),
               {.data = to + first_slot,
                .stride = width,
                .columns = columns,
                .start = ProductTarget::Start::bias,
                .bias = bias + first_slot});
      for (std::int64_t slot = first_slot + columns; slot < width && columns < width; ++slot) {
        for (std::int64_t row = 0; row < count; ++row) to[row * width + slot] = bias[slot];
      }
    });
  }
}

/// In bf16 the product with W_hh comes first, into the gates; the step kernel finds nothing to add.
void NativeLayer::multiply_hidden(std::int64_t panel, std::int64_t row, std::int64_t rows,
                                  const float* h_words, std::int64_t stride) noexcept {
  product_(rows, hh_.forward.depth(),
           {.data = h_words, .row_stride = stride, .step = 1, .run = stride, .run_stride = 0},
           hh_.forward.panel(panel),
           {.data = gates(panel, row) + cell_.hh.first * cell_.units,
            .stride = cell_.width(),
            .columns = cell_.hh.count() * cell_.units,
            .start = ProductTarget::Start::add,
            .bias = nullptr});
}

void NativeLayer::step_forward(const NativeWork& work, std::int64_t t, const LayerRows& y) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const PackedRows h = projection_ ? projection_->m() : y.rows;
  const bool pairs = rows == 1 && old_rows == 1 && cell_.forward_pair != nullptr;
  std::optional<kernels::CellForward> waiting;  // for the other panel of its pair
  for (std::int64_t i = panels.begin; i < panels.end; ++i) {
    const std::int64_t panel = there_and_back(panels, i, t, rows);
    const std::int64_t unit = panel * cell_.units;
    kernels::CellForward step{.rows = old_rows,
                              .units = units_of(panel),
                              .first_unit = unit,
                              .depth = bf16_ ? 0 : hh_.inputs,
                              .h_prev = nullptr,
                              .h_prev_stride = y.rows.stride,
                              .weight_hh = hh_.forward.panel(panel),
                              .gates = gates(panel, row),
                              .c_prev = nullptr,
                              .c = c_.data() + row * hidden_size_ + unit,
                              .c_stride = hidden_size_,
                              .h = h.at(row) + unit,
                              .h_stride = h.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.h_prev = y.rows.at(old_row);
      step.c_prev = c_.data() + old_row * hidden_size_ + unit;
      if (bf16_) multiply_hidden(panel, row, old_rows, y.words.at(old_row), y.words.stride);
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
      step.h_prev = step.c_prev = nullptr;
      step.gates = gates(panel, row + old_rows);
      step.c += old_rows * hidden_size_;
      step.h += old_rows * h.stride;
      cell_.forward(step);
    }
  }
  if (waiting) cell_.forward(*waiting);
  if (projection_) projection_->forward(work, t, y.rows);
  const Share features = share_of(work, h_size_);
  if (bf16_ && features.begin < features.end) {
    kernels::bf16_rows_kernel(kernels::active_isa())({.rows = rows,
                                                      .columns = features.end - features.begin,
                                                      .from = y.rows.at(row) + features.begin,
                                                      .from_stride = y.rows.stride,
                                                      .to = y.words.at(row) + features.begin / 2,
                                                      .to_stride = y.words.stride});
  }
}

}  // namespace quadgate
