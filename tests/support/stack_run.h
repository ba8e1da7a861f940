#pragma once

#include <algorithm>
#include <limits>
#include <vector>

#include "engine/model/gradient_buffer.h"
#include "engine/native/stack.h"
#include "engine/native/task_list.h"
#include "engine/native/workers.h"
#include "tests/support/numbers.h"

namespace quadgate::testing {

/// A recurrent stack of its own over one ragged batch, by some cores.
class StackRun {
 public:
  static constexpr std::int64_t kSeqLen = 7;

  StackRun(const RecurrentConfig& config, Precision precision, int cores,
           std::int64_t team_size = 1)
      : config_(config),
        arena_(cores),
        parameters_(config),
        gradient_(parameters_),
        workers_(config, 1'000'000'000, team_size, kernels::detected_isa(), arena_),
        stack_({.config = config,
                .prefix = "",
                .seq_len = kSeqLen,
                .batch_size = 6,
                .cores = workers_.cores(),
                .precision = precision,
                .isa = kernels::detected_isa()},
               parameters_, gradient_) {
    parameters_.initialize(3);
    std::ranges::fill(gradient_.values(), std::numeric_limits<float>::quiet_NaN());
    stack_.add_gradient_tasks(tasks_);
    std::vector<PackTask> pack_tasks;
    for (std::int64_t l = 0; l < config.num_layers; ++l) {
      stack_.add_input_pack_tasks(l, pack_tasks);
      stack_.add_recurrent_pack_tasks(l, pack_tasks);
    }
    for (const auto& task : pack_tasks) task.run();
    batch_.offsets = {0, 3, 10, 11, 16, 22, 24};
    Random random(5);
    batch_.x = random.values(static_cast<std::size_t>(batch_.steps() * config.input_size));
  }

  const Parameters& parameters() const noexcept { return parameters_; }
  GradientBuffer& gradient() noexcept { return gradient_; }
  const native::TaskList& tasks() const noexcept { return tasks_; }

  /// The output of all packed rows.
  std::vector<float> output() {
    const native::RowView y = stack_.output(backward());
    return {y.data, y.data + batch_.steps() * y.stride};
  }

  /// All weight gradients, from those of the output, which are 1. Returns the sum of their squares.
  double differentiate() { return tasks_.run(workers_, backward()); }

  /// Forward and back.
  native::Differentiated backward() {
    const native::Pass pass = stack_.begin(batch_, batch_.offsets, nullptr, {}, workers_);
    return workers_.for_each_range(pass, [&](const native::WorkRange& work) {
      native::Stack::Forward forward =
          stack_.forward(stack_.load(work, {.x = batch_.x.data(), .width = config_.input_size}));
      for (std::int64_t t = 0; t < pass.steps.seq_len(); ++t) {
        const native::RowView d = stack_.d_output();
        std::fill_n(d.at(work.row(t)), work.rows(t) * d.stride, 1.0F);
      }
      work.member.wait();
      return stack_.backward(std::move(forward), nullptr);
    });
  }

 private:
  RecurrentConfig config_;
  Arena arena_;
  Parameters parameters_;
  GradientBuffer gradient_;
  native::Workers workers_;
  native::Stack stack_;
  native::TaskList tasks_;
  Batch batch_;
};

}  // namespace quadgate::testing
