#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/buffer.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/loss.h"
#include "engine/native/crf_loss.h"
#include "engine/native/done.h"
#include "engine/native/head_weights.h"
#include "engine/native/pooling.h"
#include "engine/native/row_losses.h"
#include "engine/native/row_view.h"
#include "engine/native/stack.h"
#include "engine/native/task_list.h"

namespace quadgate::native {

/// The linear head of the native backend and its loss, at every step (tagging) or of each pooled
/// sequence.
class Head {
 public:
  using Forward = Done<Head, Step::forward>;
  using Losses = Done<Head, Step::loss>;

  Head(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
       GradientBuffer& gradient);

  /// Tasks that take over changed weights. The head must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);

  /// Computes the outputs of the work's sequences from the last layer's output y.
  Forward forward(const WorkRange& work, const RowView& y);

  /// The outputs [rows, output_size] by the sequences' places. `forward` fills those of a member's
  /// share of the sequences. With a `gradient_scale`, `loss` makes them their gradients.
  RowView outputs() noexcept { return {outputs_.data(), model_.output_size}; }

  /// Computes the loss of each row. If the pass has a `gradient_scale`, the outputs become their
  /// gradients times it.
  Losses loss(Forward forward);

  /// The sum of the losses.
  Metrics metrics(const Everywhere<Losses>& losses);

  /// Computes the gradient of y. The pass has a `gradient_scale`.
  void backward(const Losses& losses, const RowView& dy);

  /// Tasks that compute the weight gradients of what goes through `stack`. If the weight is tied,
  /// later tasks add to its gradient and have its squares. Head and stack must stay where they are.
  void add_gradient_tasks(TaskList& tasks, Stack& stack);

  /// Copies the outputs to their place in Network::predict's.
  void copy_outputs(const Forward& forward, std::span<float> outputs) const;

 private:
  double gradient(const HeadWeights::Part& part, const PackedSteps& steps, const RowView& y);
  bool at_every_step() const noexcept { return model_.task == Task::tagging; }
  /// The rows that the head reads. y is the last layer's output.
  RowView input(const RowView& y) noexcept { return pooling_ ? pooling_->pooled() : y; }
  float* output(std::int64_t row) noexcept { return outputs_.data() + row * model_.output_size; }
  /// Calls body(first row, number of rows) for each contiguous piece of a member's rows.
  template <typename Body>
  void for_each_piece(const WorkRange& work, Body body) const;
  void value_losses(const WorkRange& work);

  ModelConfig model_;
  Loss loss_;
  HeadWeights weights_;
  std::int64_t capacity_;                   // rows of the outputs
  std::optional<SequencePooling> pooling_;  // unless at every step
  std::optional<CrfLoss> crf_;              // if the model has one
  Buffer outputs_;
  RowLosses losses_;             // but for regression
  std::vector<Metrics> errors_;  // of each sequence, for regression
};

}  // namespace quadgate::native
