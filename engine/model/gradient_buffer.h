#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/gradient.h"
#include "engine/model/parameters.h"

namespace quadgate {

/// The table of sparse rows that gradients for these parameters have, without what is present.
SparseRows sparse_table(const Parameters& parameters) noexcept;

/// The memory behind a Gradient: a flat array laid out as some parameters are, zeros at first.
class GradientBuffer {
 public:
  explicit GradientBuffer(const Parameters& parameters);
  /// No memory, of a network that has no gradients.
  GradientBuffer() = default;

  /// From now on, gradients go to memory of the caller, of the same layout, the gaps of which mean
  /// nothing; if it is empty, to memory of its own again.
  void lie_in(std::span<float> callers) noexcept { callers_ = callers; }

  std::span<float> values() noexcept { return callers_.empty() ? own_.span() : callers_; }
  /// Where the gradient of one tensor goes; null without memory.
  float* of(const ParameterSlice& slice) noexcept { return of(slice.range()); }
  float* of(const FlatRange& range) noexcept {
    return values().empty() ? nullptr : values().data() + range.begin;
  }
  /// The rows of the embedding's gradient that may not be zero, which the backend keeps.
  std::vector<std::int32_t>& present_rows() noexcept { return present_rows_; }

  Gradient view(double norm) const noexcept;

 private:
  SparseRows table_;  // without what is present
  std::vector<std::int32_t> present_rows_;
  Buffer own_;
  std::span<float> callers_;  // empty: own_
};

}  // namespace quadgate
