#include "engine/native/conv.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "engine/base/ceil_div.h"
#include "engine/base/stopwatch.h"

namespace quadgate::native {
namespace {

using kernels::Output;

/// Windows of rows, each a row further on than the one before. `run` terms follow each other.
kernels::Lhs windows(const RowView& rows, std::int64_t first, std::int64_t run) {
  return {.data = rows.at(first),
          .row_stride = rows.stride,
          .step = 1,
          .run = run,
          .run_stride = rows.stride};
}

/// The largest value above 0 of each channel of `steps` rows of z. This is ReLU and pooling in one.
/// NaN stays, as in PyTorch.
void pool(const RowView& z, std::int64_t first, std::int64_t steps, float* y) noexcept {
  std::fill_n(y, z.stride, 0.0F);
  for (std::int64_t step = 0; step < steps; ++step) {
    const float* const from = z.at(first + step);
    for (std::int64_t i = 0; i < z.stride; ++i) {
      const bool larger = from[i] > y[i] || from[i] != from[i];
      y[i] = larger ? from[i] : y[i];
    }
  }
}

/// Makes those rows of z their derivatives. The first row that gave y gets dy, the others get 0. A
/// value of dy becomes 0 once it has gone to its place. There is no branch, so that the compiler
/// takes vectors.
void pool_back(const RowView& z, std::int64_t first, std::int64_t steps, const float* y,
               float* dy) noexcept {
  for (std::int64_t i = 0; i < z.stride; ++i) dy[i] = y[i] > 0 ? dy[i] : 0.0F;  // ReLU
  for (std::int64_t step = 0; step < steps; ++step) {
    float* const to = z.at(first + step);
    for (std::int64_t i = 0; i < z.stride; ++i) {
      const float d = dy[i];
      const bool gave = to[i] == y[i];
      to[i] = gave ? d : 0.0F;
      dy[i] = gave ? 0.0F : d;
    }
  }
}

}  // namespace

Conv::Conv(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
           GradientBuffer& gradient)
    : config_(*plan.model.conv),
      input_size_(config_.input_size),
      delay_(config_.kernel_size - 1),
      kernels_(cell.matrix),
      width_(cell.width()),
      weight_(floats(config_.channels, window())),
      gradient_(floats(config_.channels, config_.kernel_size * filled(input_size_))),
      bias_(floats(ceil_div(config_.channels, kernels_.lanes), kernels_.lanes)),
      capacity_((plan.seq_len + 2 * config_.padding) * plan.batch_size) {
  const auto& weight = parameters.slice("conv.weight");
  const auto& bias = parameters.slice("conv.bias");
  weight_values_ = parameters.value(weight).data();
  bias_values_ = parameters.value(bias).data();
  weight_range_ = weight.range();
  bias_range_ = bias.range();
  weight_gradient_ = gradient.of(weight);
  bias_gradient_ = gradient.of(bias);

  using Use = PackedMatrix::Use;
  std::vector<std::int64_t> rows(static_cast<std::size_t>(config_.channels));
  std::iota(rows.begin(), rows.end(), 0);
  forward_ = PackedMatrix({.use = Use::forward,
                           .columns = window(),
                           .parts = config_.kernel_size,
                           .rows = std::move(rows),
                           .width = width_,
                           .kernels = kernels_});
  constexpr std::size_t kReadBehind = 8;  // see Bf16Interleave
  x_ = Buffer(floats(capacity_, terms(input_size_)) + kReadBehind);
  z_ = Buffer(floats(capacity_ + delay_, config_.channels) + kReadBehind);
  y_ = Buffer(floats(config_.output_length(plan.seq_len) * plan.batch_size, config_.channels));
  ends_.reserve(static_cast<std::size_t>(plan.batch_size + 1));
  if (plan.options.forward_only) return;
  if (!plan.model.has_embedding() && !plan.model.normalization.is_affine()) return;
  // The weight as [channels * kernel_size, I] in the order of a window of d(z). The last tap comes
  // first.
  std::vector<std::int64_t> taps;
  for (std::int64_t tap = delay_; tap >= 0; --tap) {
    for (std::int64_t channel = 0; channel < config_.channels; ++channel) {
      taps.push_back(channel * config_.kernel_size + tap);
    }
    if (rounds() && config_.channels % 2 != 0) taps.push_back(-1);
  }
  backward_ = PackedMatrix({.use = Use::backward,
                            .columns = input_size_,
                            .rows = std::move(taps),
                            .width = width_,
                            .kernels = kernels_});
  d_x_ = Buffer(floats(plan.seq_len * plan.batch_size, input_size_));
}

void Conv::add_pack_tasks(std::vector<PackTask>& tasks) {
  tasks.push_back({{weight_range_, bias_range_}, [this] { pack(); }});
}

void Conv::pack() {
  const float* from = weight_values_;
  for (std::int64_t channel = 0; channel < config_.channels; ++channel) {
    float* const to = weight_.data() + channel * window();
    for (std::int64_t i = 0; i < input_size_; ++i) {
      for (std::int64_t tap = 0; tap <= delay_; ++tap) to[tap * input_size_ + i] = *from++;
    }
  }
  forward_.pack(0, config_.channels, weight_.data());
  if (backward_.panels() > 0) {
    backward_.pack(0, config_.kernel_size * filled(config_.channels), weight_.data());
  }
  std::copy_n(bias_values_, config_.channels, bias_.data());
}

std::span<const std::int64_t> Conv::assign(const Batch& batch) {
  // Rows of z that no step of a sequence writes stay zeros.
  std::int64_t written = 0;
  const auto clear_until = [&](std::int64_t row) {
    std::fill_n(z().at(written), (row - written) * config_.channels, 0.0F);
  };
  ends_.assign(1, 0);
  for (std::int64_t row = 0; row < batch.rows(); ++row) {
    const auto offset = batch.offsets.begin() + row;
    const std::int64_t steps = config_.output_length(offset[1] - offset[0]);
    ends_.push_back(ends_.back() + steps);
    clear_until(begin(batch, row) + delay_);
    written = begin(batch, row) + delay_ + steps * config_.pool_size;
  }
  rows_ = begin(batch, batch.rows());
  clear_until(rows_ + delay_);
  return ends_;
}

template <typename Body>
void Conv::for_each_sequence(const WorkRange& work, Body body) {
  for (std::int64_t place = work.first; place < work.last; ++place) {
    body(place, work.pass.steps.row_in_batch(place));
  }
}

/// Makes rows of numbers, which follow each other, rows of pairs.
void Conv::round(std::int64_t rows, std::int64_t columns, const float* from,
                 const RowView& to) const noexcept {
  kernels_.round_rows({.rows = rows,
                       .columns = columns,
                       .from = from,
                       .from_stride = columns,
                       .to = to.data,
                       .to_stride = to.stride});
}

void Conv::load(const WorkRange& work, const StepFeatures& features) {
  const Batch& batch = work.pass.batch;
  for_each_sequence(work, [&](std::int64_t, std::int64_t row) {
    const std::int64_t offset = batch.offsets[static_cast<std::size_t>(row)];
    const std::int64_t length = batch.offsets[static_cast<std::size_t>(row) + 1] - offset;
    const auto share = work.member.share(length + 2 * config_.padding);
    for (std::int64_t i = share.begin; i < share.end; ++i) {
      float* const to = x().at(begin(batch, row) + i);
      const std::int64_t t = i - config_.padding;
      if (t < 0 || t >= length) {
        std::fill_n(to, x().stride, 0.0F);
      } else if (rounds()) {
        round(1, input_size_, features.at(offset + t), {to, x().stride});
      } else {
        std::copy_n(features.at(offset + t), input_size_, to);
      }
    }
  });
  work.member.wait();
}

/// Rows of z from those of x that begin at `first`.
void Conv::convolve(std::int64_t first, std::int64_t rows) {
  for (std::int64_t panel = 0; panel < forward_.panels(); ++panel) {
    const std::int64_t column = forward_.first_column(panel);
    kernels_.product(rows, forward_.depth(), windows(x(), first, forward_.depth()),
                     forward_.panel(panel),
                     {.data = z().at(first + delay_) + column,
                      .stride = config_.channels,
                      .columns = forward_.columns_of(panel),
                      .start = Output::Start::bias,
                      .bias = bias_.data() + column});
  }
}

Conv::Forward Conv::forward(const WorkRange& work, const StepFeatures& features) {
  const Batch& batch = work.pass.batch;
  const Stopwatch stopwatch(work.times, Phase::input_product);
  load(work, features);
  const std::int64_t steps = config_.pool_size;
  for_each_sequence(work, [&](std::int64_t place, std::int64_t row) {
    const auto share = work.member.share(work.pass.steps.length(place));
    const std::int64_t first = begin(batch, row);
    convolve(first + share.begin * steps, (share.end - share.begin) * steps);
    for (std::int64_t t = share.begin; t < share.end; ++t) {
      pool(z(), first + delay_ + t * steps, steps, output().at(work.pass.steps.row(place, t)));
    }
  });
  work.member.wait();
  return Forward(work);
}

void Conv::backward(Forward forward, const RowView& dy) {
  const WorkRange& work = forward.work();
  const Batch& batch = work.pass.batch;
  const Stopwatch stopwatch(work.times, Phase::input_product);
  const std::int64_t steps = config_.pool_size;
  for_each_sequence(work, [&](std::int64_t place, std::int64_t row) {
    const auto share = work.member.share(work.pass.steps.length(place));
    const std::int64_t first = begin(batch, row) + delay_;
    for (std::int64_t t = share.begin; t < share.end; ++t) {
      const std::int64_t packed_row = work.pass.steps.row(place, t);
      pool_back(z(), first + t * steps, steps, output().at(packed_row), dy.at(packed_row));
      const RowView d_z{z().at(first + t * steps), z().stride};
      if (rounds()) round(steps, config_.channels, d_z.data, d_z);
    }
  });
  if (backward_.panels() > 0) backward_input(work);
}

void Conv::backward_input(const WorkRange& work) {
  const Batch& batch = work.pass.batch;
  work.member.wait();
  for_each_sequence(work, [&](std::int64_t, std::int64_t row) {
    const std::int64_t offset = batch.offsets[static_cast<std::size_t>(row)];
    const auto share = work.member.share(batch.offsets[static_cast<std::size_t>(row) + 1] - offset);
    const std::int64_t first = begin(batch, row) + config_.padding + share.begin;
    for (std::int64_t panel = 0; panel < backward_.panels(); ++panel) {
      kernels_.product(share.end - share.begin, backward_.depth(),
                       windows(z(), first, terms(config_.channels)), backward_.panel(panel),
                       {.data = d_input().at(offset + share.begin) + backward_.first_column(panel),
                        .stride = input_size_,
                        .columns = backward_.columns_of(panel),
                        .start = Output::Start::zero,
                        .bias = nullptr});
    }
  });
}

}  // namespace quadgate::native
