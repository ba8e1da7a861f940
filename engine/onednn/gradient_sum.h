#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/parameters.h"
#include "engine/onednn/lstm_stack.h"
#include "engine/threads/arena.h"

namespace quadgate::onednn {

/// Adds up the weight gradients of a batch's slices, into one flat gradient in PyTorch's layout.
/// The cores share the tiles. One core sums an element, in the order of the slices, so that the
/// bits do not depend on the number of cores.
class GradientSum {
 public:
  /// A slice's array holds the LSTM's gradients as `weights` says, then head.weight, head.bias.
  GradientSum(const RecurrentConfig& config, const Parameters& parameters,
              const StackWeights& weights);

  /// Floats in a slice's array.
  std::size_t slice_size() const noexcept { return slice_size_; }
  /// Where head.weight [O, D] and head.bias [O] start in it.
  std::size_t head_weight() const noexcept { return head_weight_; }
  std::size_t head_bias() const noexcept { return head_bias_; }

  /// Fills `gradient`, laid out as the parameters, from `slices`; returns its global (Euclidean)
  /// norm.
  double sum(Arena& arena, std::span<const Buffer> slices, std::span<float> gradient);

 private:
  /// A block [rows, columns] of a parameter. In a slice it is contiguous if `slice_stride` is 0,
  /// else transposed: element [r, c] lies at slice_offset + c * slice_stride + r.
  struct Tile {
    std::size_t offset = 0;
    std::size_t stride = 0;
    std::size_t slice_offset = 0;
    std::size_t slice_stride = 0;
    std::size_t rows = 0;
    std::size_t columns = 0;
    double square = 0;
  };

  void add_transposed(const ParameterSlice& slice, std::size_t slice_offset,
                      std::int64_t slice_stride);
  void add_contiguous(const ParameterSlice& slice, std::size_t slice_offset);

  std::size_t head_weight_ = 0;
  std::size_t head_bias_ = 0;
  std::size_t slice_size_ = 0;
  std::vector<Tile> tiles_;
};

}  // namespace quadgate::onednn
