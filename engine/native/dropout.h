#pragma once

#include <cstdint>

#include "engine/base/buffer.h"
#include "engine/model/dropout.h"
#include "engine/native/row_view.h"
#include "engine/native/work_range.h"
#include "kernels/base/isa.h"
#include "kernels/random/dropout/dropout.h"

namespace quadgate::native {

/// Dropout of the features at one place of the stack: before a layer, or behind the last.
class FeatureDropout {
 public:
  struct Plan {
    double p = 0;
    bool locked = false;     ///< the mask of step 0 at all steps of a sequence
    std::int64_t layer = 0;  ///< whose outputs they are; -1: the stack's input
    std::int64_t width = 0;
    std::int64_t batch_size = 0;
    kernels::Isa isa = kernels::Isa::scalar;
  };
  explicit FeatureDropout(const Plan& plan);

  bool is_on() const noexcept { return dropout_.is_on(); }

  /// Draws the locked masks of the member's share of the sequences, if the pass drops. `apply`
  /// reads them.
  void draw(const WorkRange& work);
  /// Drops one step of the sequence at a place.
  void apply(const WorkRange& work, std::int64_t place, std::int64_t t, const float* from,
             float* to) const noexcept;
  /// Drops all steps of the work's sequences. The packed rows have no gaps. At return they are
  /// complete for all members. It does nothing unless dropout is on and the pass drops.
  void apply(const WorkRange& work, const RowView& from, const RowView& to) const;

 private:
  float* mask(std::int64_t place) noexcept { return masks_.data() + place * width_; }
  const float* mask(std::int64_t place) const noexcept { return masks_.data() + place * width_; }

  Dropout dropout_;
  kernels::MultiplyKernel multiply_;
  bool locked_;
  std::int64_t layer_;
  std::int64_t width_;
  Buffer masks_;  // [batch_size, width] factors, if locked
};

}  // namespace quadgate::native
