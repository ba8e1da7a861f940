#pragma once

#include <optional>
#include <vector>

#include "engine/native/layer_gradient.h"
#include "engine/native/layer_steps.h"
#include "engine/native/layer_weights.h"
#include "engine/native/projection.h"

namespace quadgate::native {

/// One direction of one recurrent layer for whole batches. Its parts know each other, so it stays
/// where it is.
struct Layer {
  /// Plans all memory; `parameters` and `gradient_buffer` must outlive the layer.
  Layer(const CellKernels& cell, const RecurrentConfig& config, const LayerPlan& plan,
        const Parameters& parameters, GradientBuffer& gradient_buffer)
      : weights(cell, config, plan, parameters),
        projection(config.proj_size > 0
                       ? std::make_optional<Projection>(cell.width(), config, plan, parameters,
                                                        gradient_buffer)
                       : std::nullopt),
        steps(weights, projection ? &*projection : nullptr, config, plan),
        gradient(weights, steps.gates(), plan, parameters, gradient_buffer) {}
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  LayerWeights weights;
  std::optional<Projection> projection;
  LayerSteps steps;
  LayerGradient gradient;
};

}  // namespace quadgate::native
