#include "engine/native/crf_loss.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace quadgate::native {

CrfLoss::CrfLoss(const NetworkPlan& plan, const kernels::MatrixKernels& kernels,
                 const Parameters& parameters, GradientBuffer& gradient)
    : crf_(parameters),
      tags_(plan.model.output_size),
      capacity_(plan.batch_size * plan.seq_len),
      kernels_(kernels),
      start_range_(parameters.slice("crf.start_transitions").range()),
      end_range_(parameters.slice("crf.end_transitions").range()),
      range_(parameters.slice("crf.transitions").range()),
      start_gradient_(gradient.of(parameters.slice("crf.start_transitions"))),
      end_gradient_(gradient.of(parameters.slice("crf.end_transitions"))),
      gradient_(gradient.of(parameters.slice("crf.transitions"))),
      alphas_(static_cast<std::size_t>(capacity_ * tags_)),
      betas_(static_cast<std::size_t>(capacity_ * tags_)),
      shifts_(static_cast<std::size_t>(capacity_)) {}

void CrfLoss::add_pack_tasks(std::vector<PackTask>& tasks) {
  tasks.push_back({{start_range_, end_range_, range_}, [this] { crf_.pack(); }});
}

void CrfLoss::run(const WorkRange& work, const Loss::Rows& rows, float* outputs) {
  const PackedSteps& steps = work.pass.steps;
  const auto share = work.member.share(work.last - work.first);
  const Crf::Rows arrays{outputs, alphas_.data(), betas_.data(), shifts_.data()};
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    const std::int64_t slice = steps.slice_of(place);
    const Crf::Sequence sequence{steps.offsets(slice), place - steps.first_of(slice),
                                 steps.length(place)};
    for (std::int64_t t = 0; t < sequence.length; ++t) rows.losses[sequence.row(t)] = 0;
    crf_.decode(sequence, arrays, rows.predictions);
    Crf::Forward forward = crf_.forward(sequence, arrays);
    rows.losses[sequence.row(0)] =
        static_cast<float>(forward.log_sum() - crf_.score(sequence, arrays, rows.labels));
    if (!work.pass.gradient_scale) continue;
    const float scale = *work.pass.gradient_scale;
    crf_.backward(std::move(forward), scale);
    for (std::int64_t t = 0; t < sequence.length; ++t) {
      const std::int64_t row = sequence.row(t);
      outputs[row * tags_ + rows.labels[row]] -= scale;
    }
  }
}

void CrfLoss::add_gradient_tasks(TaskList& tasks, const std::int64_t* labels,
                                 const float* outputs) {
  constexpr std::int64_t kTasks = 64;  // at least, where there are as many tags
  constexpr double kOfPower = 16;      // multiply-adds that one takes as long as
  const std::int64_t rows = std::max<std::int64_t>(tags_ / kTasks, 1);
  for (std::int64_t first = 0; first < tags_; first += rows) {
    const std::int64_t count = std::min(rows, tags_ - first);
    tasks.add({.cost = kOfPower * static_cast<double>(capacity_ * count * tags_),
               .writes = {{range_.begin + static_cast<std::size_t>(first * tags_),
                           static_cast<std::size_t>(count * tags_)}},
               .run = [this, first, count, labels](const Differentiated& pass, double* square) {
                 *square = transitions(first, count, pass.pass(), labels);
               }});
  }
  tasks.add({.cost = static_cast<double>(tags_),
             .writes = {start_range_, end_range_},
             .run = [this, outputs](const Differentiated& pass, double* square) {
               *square = ends(pass.pass(), outputs);
             }});
}

/// Computes some rows of the gradient of the transitions: how often each is expected, less how
/// often it is there. Returns the sum of their squares.
double CrfLoss::transitions(std::int64_t first, std::int64_t rows, const Pass& pass,
                            const std::int64_t* labels) {
  const PackedSteps& steps = pass.steps;
  const std::int64_t size = rows * tags_;
  float* const sums = gradient_ + first * tags_;
  std::fill_n(sums, size, 0.0F);
  const auto count = [&](std::int64_t before, std::int64_t here, std::int64_t pairs) {
    crf_.count_transitions(first, rows, pairs, alphas_.data() + before * tags_,
                           betas_.data() + here * tags_,
                           {gradient_, static_cast<std::size_t>(tags_ * tags_)});
    for (std::int64_t pair = 0; pair < pairs; ++pair) {
      const std::int64_t row = labels[before + pair] - first;
      if (row >= 0 && row < rows) sums[row * tags_ + labels[here + pair]] -= 1;
    }
  };
  for (std::int64_t slice = 0; slice < steps.slices(); ++slice) {
    for (std::int64_t t = 1; t < steps.seq_len(); ++t) {
      const std::int64_t place = steps.first_of(slice);
      count(steps.row(place, t - 1), steps.row(place, t), steps.rows_at(slice, t));
    }
  }
  const float scale = pass.gradient_scale.value_or(0);
  for (std::int64_t i = 0; i < size; ++i) sums[i] *= scale;
  return kernels_.sum_of_squares(1, size, sums, size);
}

/// The gradients of what comes before the first step and behind the last are those of the outputs
/// there.
double CrfLoss::ends(const Pass& pass, const float* outputs) {
  const PackedSteps& steps = pass.steps;
  std::fill_n(start_gradient_, tags_, 0.0F);
  std::fill_n(end_gradient_, tags_, 0.0F);
  const auto add = [&](std::int64_t row, float* sums) {
    for (std::int64_t i = 0; i < tags_; ++i) sums[i] += outputs[row * tags_ + i];
  };
  for (std::int64_t place = 0; place < steps.rows(); ++place) {
    add(steps.row(place, 0), start_gradient_);
    add(steps.row(place, steps.length(place) - 1), end_gradient_);
  }
  return kernels_.sum_of_squares(1, tags_, start_gradient_, tags_) +
         kernels_.sum_of_squares(1, tags_, end_gradient_, tags_);
}

}  // namespace quadgate::native
