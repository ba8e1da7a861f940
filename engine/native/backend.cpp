#include "engine/native/backend.h"

#include <cmath>
#include <cstddef>
#include <iterator>

namespace quadgate::native {
namespace {

std::optional<Embedding> make_embedding(const NetworkPlan& plan, Parameters& parameters) {
  if (!plan.model.has_embedding()) return {};
  return Embedding(plan.model, plan.seq_len * plan.batch_size, parameters);
}

std::optional<Conv> make_conv(const NetworkPlan& plan, Parameters& parameters) {
  if (!plan.model.conv) return {};
  return Conv(plan, cell_kernels(Cell::lstm, Precision::f32), parameters);
}

/// Of a forward pass over the largest batch, in which the rows of an embedding are only looked up.
std::int64_t multiply_adds(const NetworkPlan& plan, const Parameters& parameters) {
  const bool only_looked_up = plan.model.has_embedding() && !parameters.tied();
  const std::size_t table = only_looked_up ? parameters.embedding_weight().size : 0;
  return static_cast<std::int64_t>(parameters.values().size() - table) * plan.seq_len *
         plan.batch_size;
}

}  // namespace

Backend::Backend(const NetworkPlan& plan, Parameters& parameters, Arena& arena)
    : workers_(plan.model.rnn, multiply_adds(plan, parameters), plan.options.team_size, arena),
      embedding_(make_embedding(plan, parameters)),
      conv_(make_conv(plan, parameters)),
      stack_({.config = plan.model.rnn,
              .prefix = "rnn.",
              .seq_len = plan.model.recurrent_length(plan.seq_len),
              .batch_size = plan.batch_size,
              .cores = workers_.cores(),
              .precision = plan.options.precision,
              .has_states = plan.options.carries_states,
              .has_d_input = plan.model.has_embedding() || plan.model.conv},
             parameters),
      head_(plan, cell_kernels(Cell::lstm, Precision::f32), parameters),
      drops_(plan.model.rnn.has_dropout()),
      carries_states_(plan.options.carries_states) {
  stack_.add_pack_tasks(pack_tasks_);
  head_.add_pack_tasks(pack_tasks_);
  if (conv_) conv_->add_pack_tasks(pack_tasks_);
  stack_.add_gradient_tasks(gradient_tasks_);
  head_.add_gradient_tasks(gradient_tasks_, stack_);
  if (conv_) conv_->add_gradient_tasks(gradient_tasks_);
  if (embedding_) {
    embedding_->add_gradient_tasks(parameters.tied() ? tied_tasks_ : gradient_tasks_,
                                   conv_ ? conv_->d_input() : stack_.d_input());
  }
  if (carries_states_) states_ = RecurrentStates::zeros(plan.model.rnn, plan.batch_size);
}

void Backend::refresh() {
  stack_.weights_changed();
  workers_.share(std::ssize(pack_tasks_),
                 [&](std::int64_t task) { pack_tasks_[static_cast<std::size_t>(task)].run(); });
}

void Backend::assign(const Batch& batch) {
  stack_.assign(conv_ ? conv_->assign(batch) : batch.offsets);
}

void Backend::assign_embedding(const Batch& batch) {
  embedding_->assign(batch, conv_ ? nullptr : &stack_.steps());
}

Metrics Backend::evaluate(const Batch& batch) {
  stack_.sync_recurrent_weights(nullptr, workers_);
  assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const WorkRange& work) {
    forward(work, batch, nullptr);
    head_.loss(work, batch, {});
  });
  return head_.metrics(stack_.steps());
}

void Backend::predict(const Batch& batch, std::span<float> outputs) {
  stack_.sync_recurrent_weights(nullptr, workers_);
  assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const WorkRange& work) {
    forward(work, batch, nullptr);
    head_.copy_outputs(work, batch, outputs);
  });
}

Metrics Backend::differentiate(const Batch& batch, const DropoutKey& dropout, float gradient_scale,
                               double& gradient_norm) {
  const DropoutKey* const key = drops_ ? &dropout : nullptr;
  stack_.sync_recurrent_weights(key, workers_);
  assign(batch);
  workers_.for_each_range(stack_.steps(), [&](const WorkRange& work) {
    forward(work, batch, key);
    head_.loss(work, batch, gradient_scale);
    head_.backward(work, stack_.d_output());
    stack_.backward(work, key, nullptr);
    if (conv_) conv_->backward(work, batch, stack_.d_input());
  });
  if (embedding_) assign_embedding(batch);
  gradient_norm = gradients({batch, stack_.steps(), key});
  return head_.metrics(stack_.steps());
}

/// Returns the norm.
double Backend::gradients(const Pass& pass) {
  const double square = gradient_tasks_.run(workers_, pass);
  return std::sqrt(square + tied_tasks_.run(workers_, pass));
}

void Backend::forward(const WorkRange& work, const Batch& batch, const DropoutKey* dropout) {
  if (conv_) {
    conv_->forward(work, batch, embedding());
    stack_.load(work, conv_->output(), dropout);
  } else {
    stack_.load(work, batch, dropout, embedding());
  }
  if (carries_states_) stack_.load_states(work, &states_);
  stack_.forward(work, dropout);
  if (carries_states_) stack_.store_states(work, states_);
  head_.forward(work, stack_.output(dropout != nullptr));
}

}  // namespace quadgate::native
