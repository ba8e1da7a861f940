#pragma once

#include <optional>

#include "engine/model/batch.h"
#include "engine/model/dropout_key.h"
#include "engine/native/packed_steps.h"
#include "engine/native/row_view.h"

namespace quadgate::native {

/// Packed rows that the stack reads and writes where its caller has them. Without, it has its own.
struct CallersRows {
  RowView x;           ///< [rows, I], read until the gradients are computed
  bool loads = false;  ///< `load` copies the features to x; else they are there
  RowView d_output;    ///< [rows, output_size], read in the backward pass
  RowView d_x;         ///< [rows, I], written in it
};

/// A batch on its way through the model. Stack::begin makes it, once a batch.
struct Pass {
  const Batch& batch;
  const PackedSteps& steps;
  const DropoutKey* dropout;            ///< null: without dropout
  std::optional<float> gradient_scale;  ///< of the loss; none: no gradient is asked for
  CallersRows callers{};

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
