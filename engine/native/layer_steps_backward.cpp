#include <algorithm>

#include "engine/base/stopwatch.h"
#include "engine/native/layer_steps.h"

namespace quadgate::native {

using kernels::Output;

void LayerSteps::backward(const Done<Stack, Step::forward>& forward, const RowView& y,
                          const RowView& dy, const RowView& dx, bool add) {
  const WorkRange& work = forward.work();
  const std::int64_t seq_len = work.pass.steps.seq_len();
  const std::int64_t at_once = gates_.steps_at_once();
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

kernels::CellBackward LayerSteps::cell_backward(std::int64_t panel, const Rows& rows,
                                                const RowView& y, const RowView& dy) noexcept {
  const std::int64_t unit = weights_.panels().first_unit(panel);
  const bool reads_h = rows.has_before && projection_ == nullptr;  // an LSTM does not
  const RowView d_h = projection_ != nullptr ? projection_->d_m() : RowView{d_h_.data(), h_size_};
  return {.rows = rows.count,
          .units = weights_.panels().units_of(panel),
          .gates = gates_.gates(panel, rows.row),
          .h_prev = reads_h ? y.at(rows.before) + unit : nullptr,
          .h_prev_stride = y.stride,
          .c_prev = rows.has_before ? c(rows.before, rows.place, unit) : nullptr,
          .c = c(rows.row, rows.place, unit),
          .c_stride = hidden_size_,
          .dh = d_h.at(rows.place) + unit,
          .dc = d_c(rows.place, unit),
          .d_stride = hidden_size_,
          .dy = projection_ == nullptr ? dy.at(rows.row) + unit : nullptr,
          .dy_stride = dy.stride};
}

void LayerSteps::step_backward(const WorkRange& work, std::int64_t t, const RowView& y,
                               const RowView& dy) {
  const Rows old = going_on(work, t);
  const Rows fresh = beginning(work, t);
  const std::int64_t rows = old.count + fresh.count;
  const RowView d_h{d_h_.data(), h_size_};
  if (projection_ != nullptr) projection_->backward(work, t, dy, d_h);
  const auto panels = panels_of(work);
  for (std::int64_t panel = panels.begin; panel < panels.end; ++panel) {
    if (old.count > 0) cell_.backward(cell_backward(panel, old, y, dy));
    if (fresh.count > 0) cell_.backward(cell_backward(panel, fresh, y, dy));
  }
  work.member.wait();
  const PackedMatrix& matrix = weights_.hh().backward();
  const auto shares = work.member.share(matrix.panels());
  for (std::int64_t i = shares.begin; i < shares.end; ++i) {
    const std::int64_t panel = serpentine(shares, i, t, rows);
    cell_.matrix.product(initial_rows_ > 0 ? rows : old.count, matrix.depth(),
                         gates_.d_gates(cell_.hh, work.row(t)), matrix.panel(panel),
                         {.data = d_h.at(work.first) + matrix.first_column(panel),
                          .stride = d_h.stride,
                          .columns = matrix.columns_of(panel),
                          .start = cell_.writes_dh ? Output::Start::add : Output::Start::zero,
                          .bias = nullptr});
  }
}

void LayerSteps::project_back(const WorkRange& work, Share steps, const RowView& dx, bool add) {
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const PackedMatrix& matrix = weights_.ih().backward();
  const auto share = work.member.share(matrix.panels());
  for (std::int64_t panel = share.begin; panel < share.end; ++panel) {
    work.for_each_run(steps.begin, steps.end, [&](std::int64_t first, std::int64_t count) {
      cell_.matrix.product(count, matrix.depth(), gates_.d_gates(cell_.ih, first),
                           matrix.panel(panel),
                           {.data = dx.at(first) + matrix.first_column(panel),
                            .stride = dx.stride,
                            .columns = matrix.columns_of(panel),
                            .start = add ? Output::Start::add : Output::Start::zero,
                            .bias = nullptr});
    });
  }
}

}  // namespace quadgate::native
