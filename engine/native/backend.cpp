#include "engine/native/backend.h"

#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <span>
#include <utility>

namespace quadgate::native {

void Backend::pack(const WeightArrival& arrival) {
  // A pass begins with the dropout of all layers' weights.
  if (drops_weights_ && arrival) arrival({0, gradient_.values().size()}, true);
  stack_.weights_changed();
  pack_stages_.begin(arrival);
}

void Backend::update(const RangeUpdate& update, const SparseRows& rows) {
  stack_.weights_changed();
  const std::span<const PackTask> all = pack_stages_.tasks();
  const std::int64_t tasks = std::ssize(all);
  workers_.share(tasks + rows.tiles(), [&](std::int64_t index) {
    if (index >= tasks) return rows.for_each(index - tasks, std::cref(update));
    const PackTask& task = all[static_cast<std::size_t>(index)];
    for (const FlatRange& range : task.parameters) update(range);
    task.run();
  });
  pack_stages_.skip();
}

Pass Backend::begin(const Batch& batch, const DropoutKey* dropout,
                    std::optional<float> gradient_scale) {
  return stack_.begin(batch, conv_ ? conv_->assign(batch) : batch.offsets, dropout, gradient_scale,
                      workers_);
}

Metrics Backend::evaluate(const Batch& batch) {
  const Pass pass = begin(batch, nullptr, {});
  if (head_) {
    return head_->metrics(workers_.for_each_range(
        pass, [&](const WorkRange& work) { return head_->loss(head_forward(forward(work))); }));
  }
  const auto forward = workers_.for_each_range(pass, [&](const WorkRange& work) {
    vocabulary_head_->load_labels(work);
    return this->forward(work).stack;
  });
  return vocabulary_head_->evaluate(forward, stack_.output(forward), workers_);
}

void Backend::predict(const Batch& batch, std::span<float> outputs) {
  const Pass pass = begin(batch, nullptr, {});
  if (head_) {
    static_cast<void>(workers_.for_each_range(pass, [&](const WorkRange& work) {
      Head::Forward head = head_forward(forward(work));
      head_->copy_outputs(head, outputs);
      return head;
    }));
    return;
  }
  const auto forward = workers_.for_each_range(
      pass, [&](const WorkRange& work) { return this->forward(work).stack; });
  vocabulary_head_->predict(forward, stack_.output(forward), workers_, outputs);
}

Derivative Backend::differentiate(const Batch& batch, const DropoutKey& dropout,
                                  float gradient_scale, const GradientListener* listener) {
  // Where one listens, the weights of a layer have their gradients before the layer below goes
  // back, so that these travel meanwhile.
  const std::int64_t down_to = listener == nullptr ? 0 : layers_ - 1;
  const Pass pass = begin(batch, drops_ ? &dropout : nullptr, gradient_scale);
  const Differentiation done = head_ ? differentiate_through_head(pass, down_to)
                                     : differentiate_around_head(pass, down_to, listener);
  if (embedding_) embedding_->assign(batch, conv_ ? nullptr : &pass.steps);
  return {done.metrics, gradient_.view(gradients(done.backward, down_to, listener))};
}

/// Each range of the sequences goes through the head and back at once.
Backend::Differentiation Backend::differentiate_through_head(const Pass& pass,
                                                             std::int64_t down_to) {
  struct Both {
    Head::Losses head;
    Backward others;
  };
  const auto both = workers_.for_each_range(pass, [&](const WorkRange& work) {
    Forward forward = this->forward(work);
    Head::Losses losses = head_->loss(head_forward(forward));
    if (normalization_) normalization_->backward(losses, head_->outputs());
    head_->backward(losses, stack_.d_output(work));
    return Both{std::move(losses), backward(std::move(forward), down_to)};
  });
  return {head_->metrics(both.part(&Both::head)), both.part(&Both::others)};
}

/// All ranges wait for each other in front of the head, which the cores share.
Backend::Differentiation Backend::differentiate_around_head(const Pass& pass, std::int64_t down_to,
                                                            const GradientListener* listener) {
  const auto forward = workers_.for_each_range(pass, [&](const WorkRange& work) {
    vocabulary_head_->load_labels(work);
    return this->forward(work);
  });
  const auto stack = forward.part(&Forward::stack);
  const auto conv = forward.part(&Forward::conv);
  const Metrics metrics = vocabulary_head_->differentiate(stack, stack_.output(stack),
                                                          stack_.d_output(), workers_, listener);
  return {metrics, workers_.for_each_range(pass, [&](const WorkRange& work) {
            std::optional<Conv::Forward> its_conv;
            if (conv_) its_conv.emplace(conv.of(work));
            return backward({std::move(its_conv), stack.of(work)}, down_to);
          })};
}

/// From the derivative of what came out of the stack.
Backend::Backward Backend::backward(Forward forward, std::int64_t down_to) {
  Stack::Backward stack = stack_.backward(std::move(forward.stack), nullptr, down_to);
  if (down_to == 0 && conv_) conv_->backward(std::move(*forward.conv), stack_.d_input());
  return {std::move(stack), std::move(forward.conv)};
}

/// Those of a pass that has come down to a layer. Returns the norm.
double Backend::gradients(const Everywhere<Backward>& backward, std::int64_t layer,
                          const GradientListener* listener) {
  const Differentiated stack = backward.part(&Backward::stack);
  const double square = vocabulary_head_ ? vocabulary_head_->sum_of_squares() : 0;
  if (listener == nullptr) {
    const double others = gradient_tasks_.run(workers_, stack);
    return std::sqrt(square + others + tied_tasks_.run(workers_, stack));
  }
  gradient_tasks_.run_layer(workers_, stack, layer, *listener);
  while (layer > 0) {
    --layer;
    static_cast<void>(workers_.for_each_range(stack.pass(), [&](const WorkRange& work) {
      Stack::Backward below = stack_.go_on_backward(stack.of(work), layer);
      if (layer == 0 && conv_) {
        conv_->backward(backward.part(&Backward::conv).of(work), stack_.d_input());
      }
      return below;
    }));
    gradient_tasks_.run_layer(workers_, stack, layer, *listener);
  }
  tied_tasks_.run_layer(workers_, stack, 0, *listener);
  return std::sqrt(square + gradient_tasks_.sum_of_squares() + tied_tasks_.sum_of_squares());
}

std::vector<FlatRange> Backend::gradient_ranges() const {
  std::vector<FlatRange> ranges;
  if (workers_.slices().rows > 0) return ranges;  // a slice goes back through all layers at once
  if (vocabulary_head_) ranges = vocabulary_head_->gradient_ranges();
  for (const TaskList* const list : {&gradient_tasks_, &tied_tasks_}) {
    for (const GradientTask& task : list->tasks()) {
      ranges.insert(ranges.end(), task.writes.begin(), task.writes.end());
    }
  }
  return ranges;
}

std::optional<StepPlan> Backend::step_plan(const Batch& batch) {
  if (kind_ != BackendKind::native) return {};
  const Pass pass = begin(batch, nullptr, {});
  StepPlan plan = workers_.plan(pass.steps);
  plan.waits = stack_.team_waits(pass);
  if (vocabulary_head_) plan.head = vocabulary_head_->plan(pass, workers_);
  for (TaskList* const list : {&gradient_tasks_, &tied_tasks_}) {
    if (!list->tasks().empty()) plan.gradients.push_back(list->plan(workers_));
  }
  for (const PackTask& task : pack_stages_.tasks()) {
    double& weights = plan.updates.emplace_back();
    for (const FlatRange& range : task.parameters) weights += static_cast<double>(range.size);
  }
  SparseRows rows = gradient_.view(0).rows;
  if (rows.size == 0) return plan;
  const std::vector<std::int32_t> present = embedding_->rows_of(batch);
  rows.present = present;
  for (std::int64_t tile = 0; tile < rows.tiles(); ++tile) {
    double& weights = plan.updates.emplace_back();
    rows.for_each(tile, [&](const FlatRange& row) { weights += static_cast<double>(row.size); });
  }
  return plan;
}

StepFeatures Backend::features(const Batch& batch) const noexcept {
  const bool changed = normalization_ && normalization_->features() != nullptr;
  return {.embedding = embedding_ ? &*embedding_ : nullptr,
          .tokens = batch.tokens.data(),
          .x = changed ? normalization_->features() : batch.x.data(),
          .width = input_size_};
}

Backend::Forward Backend::forward(const WorkRange& work) {
  pack_stages_.finish(0, work.times);
  if (normalization_) normalization_->forward(work);
  const StepFeatures features = this->features(work.pass.batch);
  std::optional<Conv::Forward> conv;
  if (conv_) conv.emplace(conv_->forward(work, features));
  Stack::Loaded loaded = conv ? stack_.load(work, conv_->output()) : stack_.load(work, features);
  if (carries_states_) stack_.load_states(loaded, &states_);
  Stack::Forward stack = stack_.forward(std::move(loaded), &pack_stages_);
  if (carries_states_) stack_.store_states(stack, states_);
  pack_stages_.finish(2 * layers_, work.times);
  return {std::move(conv), std::move(stack)};
}

Head::Forward Backend::head_forward(const Forward& forward) {
  Head::Forward head = head_->forward(forward.stack.work(), stack_.output(forward.stack));
  if (normalization_) normalization_->restore(head, head_->outputs());
  return head;
}

}  // namespace quadgate::native
