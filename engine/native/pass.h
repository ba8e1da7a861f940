#pragma once

#include <optional>

#include "engine/model/batch.h"
#include "engine/model/dropout_key.h"
#include "engine/native/packed_steps.h"

namespace quadgate::native {

/// A batch on its way through the model. It is made once a batch.
struct Pass {
  const Batch& batch;
  const PackedSteps& steps;
  const DropoutKey* dropout = nullptr;    ///< null: without dropout
  std::optional<float> gradient_scale{};  ///< of the loss; none: no gradient is asked for

  bool drops() const noexcept { return dropout != nullptr; }
};

}  // namespace quadgate::native
