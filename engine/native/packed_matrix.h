#pragma once

#include <cstdint>
#include <vector>

#include "engine/base/buffer.h"
#include "kernels/matrix/matrix_kernels.h"

namespace quadgate::native {

/// A weight matrix W [*, columns] in the panels that the product kernels read
/// (kernels/matrix/product/product.h). A list says which rows of W come in which order; -1 stands
/// for a row of zeros. A vector's worth of the list has rows that follow each other, then -1. With
/// the list r0, r1, ... and panels of width w:
///
///     forward,  panel 0:  k = 0:   W[r0][0]  W[r1][0]  ...  W[r(w-1)][0]     depth: the columns
///                         k = 1:   W[r0][1]  W[r1][1]  ...
///     backward, panel 0:  k = 0:   W[r0][0]  W[r0][1]  ...  W[r0][w-1]       depth: the list
///                         k = 1:   W[r1][0]  W[r1][1]  ...
///
/// In bf16 row i of a panel has pairs, of k = 2 i and k = 2 i + 1.
class PackedMatrix {
 public:
  /// What the packed matrix is the right side of.
  enum class Use : std::uint8_t {
    forward,   ///< x W^T: depth is the columns of W, its listed rows lie across the panels
    backward,  ///< d W: depth is the listed rows of W, its columns lie across the panels
  };

  struct Shape {
    Use use = Use::forward;
    std::int64_t columns = 0;        ///< of W
    std::int64_t parts = 1;          ///< equal pieces of them; in bf16 each begins with a pair
    std::vector<std::int64_t> rows;  ///< the list
    std::int64_t width = 0;          ///< of a panel; the last one has only the vectors it needs
    kernels::MatrixKernels kernels;  ///< those that read the panels
  };

  PackedMatrix() = default;
  explicit PackedMatrix(Shape shape);

  std::int64_t panels() const noexcept { return panels_; }
  /// In bf16 it counts pairs (kernels/matrix/bf16/bf16.h).
  std::int64_t depth() const noexcept { return depth_; }
  /// The first column of the product that panel p makes.
  std::int64_t first_column(std::int64_t p) const noexcept { return p * shape_.width; }
  /// Columns of the product that panel p makes, without those that fill its last vector.
  std::int64_t columns_of(std::int64_t p) const noexcept {
    return p + 1 < panels_ ? shape_.width : across_ - p * shape_.width;
  }
  const float* panel(std::int64_t p) const noexcept {
    return packed_.data() + p * depth_ * shape_.width;
  }

  /// From row k on.
  const float* panel(std::int64_t p, std::int64_t k) const noexcept {
    return panel(p) + k * padded_width(p);
  }

  /// Takes over the listed rows [first, first + count) of the weights. In the use `forward`,
  /// `first` is where a panel begins; in bf16 it is even.
  void pack(std::int64_t first, std::int64_t count, const float* weights);

 private:
  void pack_forward(std::int64_t first, std::int64_t count, const float* weights);
  void pack_backward(std::int64_t first, std::int64_t count, const float* weights);
  std::int64_t in_pair() const noexcept {
    return shape_.kernels.arithmetic == kernels::Arithmetic::floats ? 1 : 2;
  }
  std::int64_t padded_width(std::int64_t p) const noexcept;

  Shape shape_;
  std::int64_t across_ = 0;
  std::int64_t depth_ = 0;
  std::int64_t panels_ = 0;
  Buffer packed_;
};

}  // namespace quadgate::native
