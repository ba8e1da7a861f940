#pragma once

#include <cstdint>
#include <vector>

#include "engine/buffer.h"

namespace quadgate {

/// A weight matrix [*, columns] of the parameters, copied into the panels that the product kernels
/// read (kernels/product/product.h) after each update. A list of its rows, in which -1 stands for a
/// row of zeros, says which rows come in which order: each vector's worth of it holds rows that
/// follow each other, then zeros.
class PackedMatrix {
 public:
  /// What the packed matrix is the right side of.
  enum class Use : std::uint8_t {
    forward,   ///< x W^T: depth is the columns of W, its listed rows lie across the panels
    backward,  ///< d W: depth is the listed rows of W, its columns lie across the panels
  };

  PackedMatrix() = default;
  /// Plans; `weights` must outlive this object. A panel is `width` wide, the last one only as wide
  /// as it must be in whole vectors of `lanes`.
  PackedMatrix(Use use, const float* weights, std::int64_t columns, std::vector<std::int64_t> rows,
               std::int64_t width, std::int64_t lanes);

  std::int64_t panels() const noexcept { return panels_; }
  std::int64_t depth() const noexcept { return depth_; }
  /// Columns of the product that panel p makes, without those that fill its last vector.
  std::int64_t columns_of(std::int64_t p) const noexcept {
    return p + 1 < panels_ ? width_ : across_ - p * width_;
  }
  const float* panel(std::int64_t p) const noexcept { return packed_.data() + p * depth_ * width_; }

  /// Takes over the values of the weights in panel p.
  void pack(std::int64_t p);

 private:
  void pack_forward(std::int64_t p);
  void pack_backward(std::int64_t p);
  std::int64_t padded_width(std::int64_t p) const noexcept;

  Use use_ = Use::forward;
  const float* weights_ = nullptr;
  std::int64_t columns_ = 0;
  std::vector<std::int64_t> rows_;
  std::int64_t width_ = 0;
  std::int64_t lanes_ = 1;
  std::int64_t across_ = 0;
  std::int64_t depth_ = 0;
  std::int64_t panels_ = 0;
  Buffer packed_;
};

}  // namespace quadgate
