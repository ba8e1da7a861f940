#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "engine/model/loss.h"
#include "engine/model/parameters.h"

namespace quadgate {

/// A table [rows, width] at the start of the flat arrays of which a batch differentiates few rows:
/// the optimizer leaves the others and their state alone.
struct SparseRows {
  std::size_t size = 0;                     ///< floats of the flat arrays that are its own; 0: none
  std::int64_t width = 0;                   ///< of a row
  std::span<const std::int32_t> present{};  ///< the rows that have a gradient, each once
};

/// The gradient of a loss in one flat array, laid out as the parameters are. It is a view, which
/// the next pass of whatever returned it changes.
struct Gradient {
  std::span<const float> values;  ///< gaps included, which are 0
  double norm = 0;                ///< global (Euclidean)
  SparseRows rows{};              ///< of a sparse embedding

  /// That of one tensor of the parameters.
  std::span<const float> of(const ParameterSlice& slice) const noexcept {
    return values.subspan(slice.offset, slice.size);
  }
};

/// What a forward and backward pass over a batch gives.
struct Derivative {
  Metrics metrics;
  Gradient gradient;
};

}  // namespace quadgate
