#include "engine/native/layer.h"

#include <algorithm>

#include "engine/base/stopwatch.h"

namespace quadgate::native {

using kernels::Output;

kernels::Lhs Layer::d_gates(const CellKernels::Slots& slots, std::int64_t row) const noexcept {
  const std::int64_t a_word = bf16_ ? 2 : 1;
  return {.data = gates(0, row) + slots.first * cell_.units / a_word,
          .row_stride = cell_.width() / a_word,
          .step = 1,
          .run = slots.count() * cell_.units / a_word,
          .run_stride = panel_stride_};
}

void Layer::backward(const WorkRange& work, const RowView& y, const RowView& dy, const RowView& dx,
                     bool add) {
  const std::int64_t seq_len = work.pass.steps.seq_len();
  for (std::int64_t done = 0; done < seq_len; done += steps_at_once_) {
    const std::int64_t count = std::min(steps_at_once_, seq_len - done);
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

void Layer::step_backward(const WorkRange& work, std::int64_t t, const RowView& y,
                          const RowView& dy) {
  const std::int64_t rows = work.rows(t);
  const std::int64_t old_rows = std::min(rows, work.rows(before(t)));
  const std::int64_t row = work.row(t);
  const auto panels = panels_of(work);
  const RowView dh{dh_.data(), h_size_};
  const RowView d_h = projection_ ? projection_->d_m() : dh;
  if (projection_) projection_->backward(work, t, dy, dh);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    const std::int64_t unit = panel * cell_.units;
    kernels::CellBackward step{.rows = old_rows,
                               .units = units_of(panel),
                               .gates = gates(panel, row),
                               .h_prev = nullptr,
                               .h_prev_stride = y.stride,
                               .c_prev = nullptr,
                               .c = state(row, unit),
                               .c_stride = hidden_size_,
                               .dh = d_h.at(work.first) + unit,
                               .dc = d_state(work.first, unit),
                               .d_stride = hidden_size_,
                               .dy = projection_ ? nullptr : dy.at(row) + unit,
                               .dy_stride = dy.stride};
    if (old_rows > 0) {
      const std::int64_t old_row = work.row(before(t));
      step.h_prev = projection_ ? nullptr : y.at(old_row) + unit;  // of no use to an LSTM
      step.c_prev = state(old_row, unit);
      cell_.backward(step);
    }
    if (rows > old_rows) {
      step.rows = rows - old_rows;
      const std::int64_t initial = work.first + old_rows - front_;
      step.h_prev = front_ == 0 || projection_ ? nullptr : y.at(initial) + unit;
      step.c_prev = front_ == 0 ? nullptr : state(initial, unit);
      step.gates = gates(panel, row + old_rows);
      step.c = state(row + old_rows, unit);
      step.dh += old_rows * hidden_size_;
      step.dc = d_state(work.first + old_rows, unit);
      if (step.dy != nullptr) step.dy += old_rows * dy.stride;
      cell_.backward(step);
    }
  }
  work.member.wait();
  const auto shares = work.member.share(hh_.packed.backward().panels());
  for (std::int64_t i = shares.begin; i < shares.end; ++i) {
    const std::int64_t panel = serpentine(shares, i, t, rows);
    cell_.matrix.product(front_ > 0 ? rows : old_rows, hh_.packed.backward().depth(),
                         d_gates(cell_.hh, row), hh_.packed.backward().panel(panel),
                         {.data = dh.at(work.first) + panel * cell_.width(),
                          .stride = dh.stride,
                          .columns = hh_.packed.backward().columns_of(panel),
                          .start = cell_.writes_dh ? Output::Start::add : Output::Start::zero,
                          .bias = nullptr});
  }
}

void Layer::project_back(const WorkRange& work, Share steps, const RowView& dx, bool add) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const auto share = work.member.share(ih_.packed.backward().panels());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      cell_.matrix.product(count, ih_.packed.backward().depth(), d_gates(cell_.ih, first),
                           ih_.packed.backward().panel(panel),
                           {.data = dx.at(first) + panel * cell_.width(),
                            .stride = dx.stride,
                            .columns = ih_.packed.backward().columns_of(panel),
                            .start = add ? Output::Start::add : Output::Start::zero,
                            .bias = nullptr});
    });
  }
}

}  // namespace quadgate::native
