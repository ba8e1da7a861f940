#pragma once

#include <optional>

#include "engine/model/batch.h"
#include "engine/model/dropout_key.h"
#include "engine/native/packed_steps.h"

namespace quadgate::native {

/// A batch on its way through the model. Stack::begin makes it, once a batch.
struct Pass {
  const Batch& batch;
  const PackedSteps& steps;
  const DropoutKey* dropout;            ///< null: without dropout
  std::optional<float> gradient_scale;  ///< of the loss; none: no gradient is asked for

  bool drops() const noexcept { return dropout != nullptr; }

 private:
  friend class Stack;
  Pass(const Batch& its_batch, const PackedSteps& its_steps, const DropoutKey* its_dropout,
       std::optional<float> its_gradient_scale) noexcept
      : batch(its_batch),
        steps(its_steps),
        dropout(its_dropout),
        gradient_scale(its_gradient_scale) {}
};

}  // namespace quadgate::native
