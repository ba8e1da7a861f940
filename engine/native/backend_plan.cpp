// What a backend is made of, and its tasks.

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "engine/native/backend.h"

namespace quadgate::native {
namespace {

/// A part of the model, if it has one.
template <typename Part, typename... Arguments>
std::optional<Part> made_if(bool has_part, Arguments&&... arguments) {
  return has_part ? std::optional<Part>(std::in_place, std::forward<Arguments>(arguments)...)
                  : std::optional<Part>();
}

/// Multiply-adds of a forward pass over the largest batch. It looks the rows of an embedding up and
/// multiplies with none of them.
std::int64_t multiply_adds(const NetworkPlan& plan, const Parameters& parameters) {
  const bool only_looked_up = plan.model.has_embedding() && !parameters.tied();
  const std::size_t table = only_looked_up ? parameters.embedding_weight().size : 0;
  return static_cast<std::int64_t>(parameters.values().size() - table) * plan.seq_len *
         plan.batch_size;
}

/// The products of a network's precision, in panels of an LSTM's width.
CellKernels products(const NetworkPlan& plan) {
  return cell_kernels(Cell::lstm,
                      kernel_arithmetic(plan.options.precision, plan.options.arithmetic, plan.isa),
                      plan.isa);
}

}  // namespace

Backend::Backend(const NetworkPlan& plan, const Parameters& parameters, Arena& arena,
                 const LayerKind* layers)
    : kind_(layers == nullptr ? BackendKind::native : layers->backend),
      gradient_(plan.options.forward_only ? GradientBuffer() : GradientBuffer(parameters)),
      workers_(plan.model.rnn, multiply_adds(plan, parameters), plan.options.team_size, plan.isa,
               arena,
               {.rows = layers == nullptr ? 0 : layers->slice_rows,
                .batch_size = plan.batch_size,
                .one_by_one = !VocabularyHead::fits(plan.model)}),
      embedding_(made_if<Embedding>(plan.model.has_embedding(), plan.model,
                                    plan.seq_len * plan.batch_size, plan.isa, parameters,
                                    gradient_)),
      normalization_(
          made_if<Normalization>(plan.model.normalization.is_on(), plan, parameters, gradient_)),
      conv_(
          made_if<Conv>(plan.model.conv.has_value(), plan, products(plan), parameters, gradient_)),
      stack_({.config = plan.model.rnn,
              .prefix = "rnn.",
              .seq_len = plan.model.recurrent_length(plan.seq_len),
              .batch_size = plan.batch_size,
              .cores = workers_.cores(),
              .slices = workers_.slices(),
              .slots = workers_.slots(),
              .precision = plan.options.precision,
              .arithmetic = plan.options.arithmetic,
              .has_states = plan.options.carries_states,
              .has_d_input = plan.model.has_embedding() || plan.model.conv ||
                             plan.model.normalization.is_affine(),
              .forward_only = plan.options.forward_only,
              .isa = plan.isa,
              .kind = layers},
             parameters, gradient_),
      input_size_(plan.model.input_size()),
      drops_(plan.model.rnn.has_dropout()),
      drops_weights_(plan.model.rnn.weight_dropout > 0),
      layers_(plan.model.rnn.num_layers),
      carries_states_(plan.options.carries_states) {
  if (VocabularyHead::fits(plan.model)) {
    vocabulary_head_.emplace(plan, products(plan), parameters, gradient_);
  } else {
    head_.emplace(plan, cell_kernels(Cell::lstm, kernels::Arithmetic::floats, plan.isa), parameters,
                  gradient_);
  }
  add_pack_stages();
  if (carries_states_) states_ = RecurrentStates::zeros(plan.model.rnn, plan.batch_size);
  if (!plan.options.forward_only) add_gradient_tasks(parameters.tied());
  workers_.after_each_round([this](const auto& pass) { round_tasks_.run(workers_, pass); });
}

void Backend::add_gradient_tasks(bool tied) {
  stack_.add_gradient_tasks(gradient_tasks_);
  if (workers_.slices().rows > 0) stack_.add_gradient_tasks(round_tasks_);
  if (head_) head_->add_gradient_tasks(gradient_tasks_, stack_);
  if (conv_) conv_->add_gradient_tasks(gradient_tasks_);
  const RowView d_features = conv_ ? conv_->d_input() : stack_.d_input();
  if (embedding_) {
    embedding_->add_gradient_tasks(tied ? tied_tasks_ : gradient_tasks_, d_features);
  }
  if (normalization_) {
    normalization_->add_gradient_tasks(gradient_tasks_, d_features, conv_.has_value(),
                                       head_->outputs());
  }
}

/// Two stages a layer, the first with all that is in front of it, and one before the head.
void Backend::add_pack_stages() {
  std::vector<PackTask> tasks;
  if (embedding_) embedding_->add_pack_tasks(tasks);
  if (normalization_) normalization_->add_pack_tasks(tasks);
  if (conv_) conv_->add_pack_tasks(tasks);
  for (std::int64_t layer = 0; layer < layers_; ++layer) {
    stack_.add_input_pack_tasks(layer, tasks);
    pack_stages_.end_stage(tasks);
    stack_.add_recurrent_pack_tasks(layer, tasks);
    pack_stages_.end_stage(tasks);
  }
  head_ ? head_->add_pack_tasks(tasks) : vocabulary_head_->add_pack_tasks(tasks);
  pack_stages_.end_stage(tasks);
}

}  // namespace quadgate::native
