#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend.h"
#include "engine/buffer.h"
#include "engine/native_layer.h"
#include "engine/packed_matrix.h"
#include "engine/packed_rows.h"

namespace quadgate {

/// The linear head of the native backend, and its loss: at every step (tagging), or from the final
/// states of each sequence.
class NativeHead {
 public:
  NativeHead(const NetworkPlan& plan, const NativeCell& cell, Parameters& parameters);

  /// Takes over changed weights.
  std::int64_t pack_tasks() const noexcept { return forward_.panels() + backward_.panels(); }
  void pack(std::int64_t task);

  /// The outputs of the work's sequences from the last layer's output y.
  void forward(const NativeWork& work, const PackedRows& y);

  /// After `forward`: the loss of each row. If `gradient_scale` is not 0, the outputs become
  /// their gradients times it, for `backward`.
  void loss(const NativeWork& work, const Batch& batch, float gradient_scale);

  /// After `loss` for all sequences: the sum of the losses.
  Metrics metrics(const PackedSteps& steps) const;

  /// After `loss` with a gradient: that of y.
  void backward(const NativeWork& work, const PackedRows& dy);

  /// After `backward` for all sequences: a tile of the weight gradients.
  std::int64_t gradient_tasks() const noexcept { return 1 + backward_.panels(); }
  void gradient(std::int64_t task, const PackedSteps& steps, const PackedRows& y);
  /// After all of them: the sum of the squares of the gradients.
  double gradient_square() const noexcept;

  /// After `forward`: copies the outputs to their place in Network::predict's.
  void copy_outputs(const NativeWork& work, const Batch& batch, std::span<float> outputs) const;

 private:
  bool at_every_step() const noexcept { return model_.task == Task::tagging; }
  /// Calls body(first row, number of rows) for each contiguous piece of the head's rows that
  /// belongs to a member of the work.
  template <typename Body>
  void for_each_piece(const NativeWork& work, Body body) const;
  /// Calls body(packed row of y, first feature, place) for each part of the final states.
  template <typename Body>
  void for_each_final_state(const NativeWork& work, Body body) const;
  void load_labels(const NativeWork& work, const Batch& batch);
  void squared_errors(const NativeWork& work, const Batch& batch, float gradient_scale);

  ModelConfig model_;
  std::int64_t features_;
  kernels::ProductKernel product_;
  PackedMatrix forward_, backward_;
  Buffer bias_;  // padded to whole vectors
  const float* bias_values_;
  float* weight_gradient_;
  float* bias_gradient_;
  Buffer pooled_, d_pooled_;  // [N, features] unless at every step
  Buffer outputs_;
  std::vector<std::int64_t> labels_, predictions_;  // of each row of the outputs
  std::vector<float> losses_;                       // likewise
  std::vector<Metrics> errors_;                     // of each sequence, for regression
};

}  // namespace quadgate
