#include "engine/native_layer.h"

#include <algorithm>

#include "engine/stopwatch.h"
#include "kernels/bf16/bf16.h"
#include "kernels/isa.h"

namespace quadgate {

using kernels::ProductTarget;

kernels::LeftSide NativeLayer::d_gates(const NativeCell::Slots& slots,
                                       std::int64_t row) const noexcept {
  const std::int64_t a_word = bf16_ ? 2 : 1;
  const float* const data = bf16_ ? d_words_.data() : gates_.data();
  return {.data = data + (row * cell_.width() + slots.first * cell_.units) / a_word,
          .row_stride = cell_.width() / a_word,
          .step = 1,
          .run = slots.count() * cell_.units / a_word,
          .run_stride = panel_stride_ / a_word};
}

void NativeLayer::round_d_gates(std::int64_t panel, std::int64_t row, std::int64_t rows) noexcept {
  kernels::bf16_rows_kernel(kernels::active_isa())(
      {.rows = rows,
       .columns = cell_.width(),
       .from = gates(panel, row),
       .from_stride = cell_.width(),
       .to = d_words_.data() + (panel * panel_stride_ + row * cell_.width()) / 2,
       .to_stride = cell_.width() / 2});
}

/// A member's share of the rows of `d` [batch_size, size].
void NativeLayer::clear(const NativeWork& work, Buffer& d, std::int64_t size) const noexcept {
  const Share share = share_of(work, size);
  for (std::int64_t row = work.first; row < work.last; ++row) {
    std::fill(d.data() + row * size + share.begin, d.data() + row * size + share.end, 0.0F);
  }
}

void NativeLayer::backward(const NativeWork& work, const PackedRows& y, const PackedRows& dy,
                           const PackedRows& dx, bool add) {
  clear(work, dh_, h_size_);
  clear(work, dc_, hidden_size_);
  const std::int64_t seq_len = work.steps.seq_len();
  const std::int64_t at_once = steps_at_once(work);
  for (std::int64_t done = 0; done < seq_len; done += at_once) {
    const std::int64_t count = std::min(at_once, seq_len - done);
    const std::int64_t first = reverse_ ? done : seq_len - done - count;
    {
      const Stopwatch stopwatch(work.times, Phase::recurrence_backward);
      for (std::int64_t i = 0; i < count; ++i) {
        step_backward(work, reverse_ ? first + i : first + count - 1 - i, y, dy);
      }
    }
    if (dx.data != nullptr) project_back(work, {first, first + count}, dx, add);
  }
  work.member.wait();
}

void NativeLayer::step_backward(const NativeWork& work, std::int64_t t, const PackedRows& y,
                                const PackedRows& dy) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const PackedRows dh{dh_.data(), h_size_};
  const PackedRows d_state = projection_ ? projection_->d_m() : dh;
  if (projection_) projection_->backward(work, t, dy, dh);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t unit = panel * cell_.units;
    kernels::CellBackward step{.rows = old_rows,
                               .units = units_of(panel),
                               .gates = gates(panel, row),
                               .h_prev = nullptr,
                               .h_prev_stride = y.stride,
                               .c_prev = nullptr,
                               .c = c_.data() + row * hidden_size_ + unit,
                               .c_stride = hidden_size_,
                               .dh = d_state.at(work.first) + unit,
                               .dc = dc_.data() + work.first * hidden_size_ + unit,
                               .d_stride = hidden_size_,
                               .dy = projection_ ? nullptr : dy.at(row) + unit,
                               .dy_stride = dy.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.h_prev = projection_ ? nullptr : y.at(old_row) + unit;  // of no use to an LSTM
      step.c_prev = c_.data() + old_row * hidden_size_ + unit;
      cell_.backward(step);
    }
    if (rows > old_rows) {
      step.rows = rows - old_rows;
      step.h_prev = step.c_prev = nullptr;
      step.gates = gates(panel, row + old_rows);
      step.c += old_rows * hidden_size_;
      step.dh += old_rows * hidden_size_;
      step.dc += old_rows * hidden_size_;
      if (step.dy != nullptr) step.dy += old_rows * dy.stride;
      cell_.backward(step);
    }
    if (bf16_) round_d_gates(panel, row, rows);
  }
  work.member.wait();
  const auto shares = work.member.share(hh_.backward.panels());
  for (std::int64_t i = shares.begin; i < shares.end; ++i) {
    const std::int64_t panel = there_and_back(shares, i, t, rows);
    product_(old_rows, hh_.backward.depth(), d_gates(cell_.hh, row), hh_.backward.panel(panel),
             {.data = dh.at(work.first) + panel * cell_.width(),
              .stride = dh.stride,
              .columns = hh_.backward.columns_of(panel),
              .start = cell_.writes_dh ? ProductTarget::Start::add : ProductTarget::Start::zero,
              .bias = nullptr});
  }
}

void NativeLayer::project_back(const NativeWork& work, Share steps, const PackedRows& dx,
                               bool add) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto share = work.member.share(ih_.backward.panels());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      product_(count, ih_.backward.depth(), d_gates(cell_.ih, first), ih_.backward.panel(panel),
               {.data = dx.at(first) + panel * cell_.width(),
                .stride = dx.stride,
                .columns = ih_.backward.columns_of(panel),
                .start = add ? ProductTarget::Start::add : ProductTarget::Start::zero,
                .bias = nullptr});
    });
  }
}

}  // namespace quadgate
