#include "engine/native_backend.h"

#include <cmath>

#include "engine/stopwatch.h"

namespace quadgate {

NativeBackend::NativeBackend(const NetworkPlan& plan, Parameters& parameters, Arena& arena)
    : workers_(
          plan.model.rnn,
          static_cast<std::int64_t>(parameters.values().size()) * plan.seq_len * plan.batch_size,
          plan.options.team_size, arena),
      stack_({.config = plan.model.rnn,
              .prefix = "rnn.",
              .seq_len = plan.seq_len,
              .batch_size = plan.batch_size,
              .cores = workers_.cores(),
              .precision = plan.options.precision,
              .has_states = plan.options.carries_states},
             parameters),
      head_(plan, native_cell(Cell::lstm, Precision::f32), parameters),
      drops_(plan.model.rnn.dropout > 0),
      carries_states_(plan.options.carries_states) {
  workers_.plan_tasks(stack_.gradient_tasks() + head_.gradient_tasks());
  if (carries_states_) states_ = RecurrentStates::zeros(plan.model.rnn, plan.batch_size);
}

void NativeBackend::refresh() {
  const std::int64_t of_stack = stack_.pack_tasks();
  workers_.share(of_stack + head_.pack_tasks(), [&](std::int64_t task) {
    task < of_stack ? stack_.pack(task) : head_.pack(task - of_stack);
  });
}

Metrics NativeBackend::evaluate(const Batch& batch) {
  stack_.assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const NativeWork& work) {
    forward(work, batch, nullptr);
    head_.loss(work, batch, {});
  });
  return head_.metrics(stack_.steps());
}

void NativeBackend::predict(const Batch& batch, std::span<float> outputs) {
  stack_.assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const NativeWork& work) {
    forward(work, batch, nullptr);
    head_.copy_outputs(work, batch, outputs);
  });
}

Metrics NativeBackend::differentiate(const Batch& batch, const DropoutKey& dropout,
                                     float gradient_scale, double& gradient_norm) {
  const DropoutKey* const key = drops_ ? &dropout : nullptr;
  stack_.assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const NativeWork& work) {
    forward(work, batch, key);
    head_.loss(work, batch, gradient_scale);
    head_.backward(work, stack_.d_output());
    stack_.backward(work, key, nullptr);
  });
  const std::int64_t of_stack = stack_.gradient_tasks();
  workers_.for_each(of_stack + head_.gradient_tasks(), [&](std::int64_t task, PhaseTimes& times) {
    const Stopwatch stopwatch(times, Phase::weight_gradients);
    task < of_stack ? stack_.gradient(task, drops_)
                    : head_.gradient(task - of_stack, stack_.steps(), stack_.output());
  });
  gradient_norm = std::sqrt(head_.gradient_square() + stack_.gradient_square());
  return head_.metrics(stack_.steps());
}

void NativeBackend::forward(const NativeWork& work, const Batch& batch, const DropoutKey* dropout) {
  stack_.load(work, batch);
  if (carries_states_) stack_.load_states(work, &states_);
  stack_.forward(work, dropout);
  if (carries_states_) stack_.store_states(work, states_);
  head_.forward(work, stack_.output());
}

}  // namespace quadgate
