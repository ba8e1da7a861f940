#pragma once

#include <cstdint>
#include <span>

#include "engine/model/dropout_key.h"
#include "kernels/base/isa.h"
#include "kernels/random/dropout/dropout.h"

namespace quadgate {

/// Dropout with a probability p: each value becomes 0 or is multiplied by 1 / (1 - p). `to` may be
/// `from`.
class Dropout {
 public:
  /// For 0 <= p < 1, with the kernel for `isa`.
  Dropout(double p, kernels::Isa isa) noexcept;

  /// Whether p is above 0.
  bool is_on() const noexcept { return is_on_; }

  /// Drops features of a sequence at step t, the output of a layer (-1: the input of the first).
  /// The mask depends on the key, the layer, the sequence's row in the pass, t and the place in
  /// `from` only.
  void features(const DropoutKey& key, std::int64_t layer, std::int64_t row, std::int64_t t,
                std::span<const float> from, float* to) const noexcept;

  /// Drops weights in a row of W_hh, from `column` on, a multiple of 4. The mask depends on the
  /// key, the layer, the direction, the row and the column only.
  void weights(const DropoutKey& key, std::int64_t layer, std::int64_t direction, std::int64_t row,
               std::int64_t column, std::span<const float> from, float* to) const noexcept;

 private:
  kernels::DropoutKernel kernel_;
  bool is_on_;
  std::uint32_t threshold_;  // as kernels::DropoutMask has them
  float scale_;
};

}  // namespace quadgate
