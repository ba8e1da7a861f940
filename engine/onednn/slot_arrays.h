#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/base/buffer.h"

namespace quadgate::onednn {

/// What the slices that are on their way at once need during a call of any layer.
class SlotArrays {
 public:
  /// Of one slice.
  struct Arrays {
    Buffer scratchpad;
    Buffer x, y, dx, dy;  ///< a piece's, where oneDNN cannot read or write the pipeline's
  };
  /// Floats of each.
  struct Sizes {
    std::size_t scratchpad = 0;
    std::size_t x = 0, y = 0, dx = 0, dy = 0;
  };

  /// Makes them as large as a layer needs them, for so many slices.
  void plan(std::int64_t slots, const Sizes& sizes) {
    all_.resize(static_cast<std::size_t>(slots));
    for (Arrays& one : all_) {
      grow(one.scratchpad, sizes.scratchpad);
      grow(one.x, sizes.x);
      grow(one.y, sizes.y);
      grow(one.dx, sizes.dx);
      grow(one.dy, sizes.dy);
    }
  }
  Arrays& of(std::int64_t slot) noexcept { return all_[static_cast<std::size_t>(slot)]; }

 private:
  static void grow(Buffer& buffer, std::size_t size) {
    if (buffer.size() < size) buffer = Buffer(size);
  }

  std::vector<Arrays> all_;
};

}  // namespace quadgate::onednn
