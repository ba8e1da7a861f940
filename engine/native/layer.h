#pragma once

#include <optional>
#include <vector>

#include "engine/native/layer_gradient.h"
#include "engine/native/layer_steps.h"
#include "engine/native/layer_weights.h"
#include "engine/native/projection.h"
#include "engine/native/recurrent_layer.h"

namespace quadgate::native {

/// One direction of one recurrent layer with our own kernels. Its parts know each other.
class Layer final : public RecurrentLayer {
 public:
  /// Plans all memory; `parameters` and `gradient_buffer` must outlive the layer.
  Layer(const CellKernels& cell, const RecurrentConfig& config, const LayerPlan& plan,
        const Parameters& parameters, GradientBuffer& gradient_buffer)
      : layer_(plan.layer),
        capacity_(plan.capacity),
        weights_(cell, config, plan, parameters),
        projection_(config.proj_size > 0
                        ? std::make_optional<Projection>(cell.width(), config, plan, parameters,
                                                         gradient_buffer)
                        : std::nullopt),
        steps_(weights_, projection_ ? &*projection_ : nullptr, config, plan),
        gradient_(weights_, steps_.gates(), plan, parameters, gradient_buffer) {}

  void add_input_pack_tasks(std::vector<PackTask>& tasks) override {
    weights_.add_input_pack_tasks(tasks);
  }
  void add_recurrent_pack_tasks(std::vector<PackTask>& tasks) override {
    weights_.add_recurrent_pack_tasks(tasks);
    if (projection_) projection_->add_pack_tasks(tasks);
  }
  std::int64_t recurrent_pieces() const noexcept override { return weights_.hh().pieces(); }
  void pack_recurrent(std::int64_t piece, const DropoutKey* dropout) override {
    weights_.pack_recurrent(piece, dropout);
  }

  void forward(const WorkRange& work, const LayerRows& x, const LayerRows& y, PackStages* stages,
               std::int64_t stage) override {
    steps_.forward(work, x, y, stages, stage);
  }
  void backward(const Done<Stack, Step::forward>& forward, const Derivatives& rows) override {
    steps_.backward(forward, rows.y, rows.dy, rows.dx, rows.add);
  }

  float* c(std::int64_t row, std::int64_t place) noexcept override { return steps_.c(row, place); }
  float* d_h(std::int64_t place) noexcept override { return steps_.d_h(place); }
  float* d_c(std::int64_t place) noexcept override { return steps_.d_c(place); }

  void add_gradient_tasks(TaskList& tasks, const Sides& sides) override {
    if (projection_) projection_->add_gradient_tasks(tasks, layer_, capacity_);
    gradient_.add_tasks(tasks, sides);
  }

 private:
  std::int64_t layer_;
  std::int64_t capacity_;
  LayerWeights weights_;
  std::optional<Projection> projection_;
  LayerSteps steps_;
  LayerGradient gradient_;
};

}  // namespace quadgate::native
