#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/layer_plan.h"
#include "engine/native/task_list.h"
#include "engine/onednn/primitives.h"
#include "engine/onednn/weights.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate::onednn {

/// The gradients of the weights of one direction of a layer. Each slice of a round has its own, in
/// oneDNN's layout. After the round, tasks add them up, tile by tile, in PyTorch's. One core sums
/// an element, in the order of the slices, so that the bits do not depend on the cores, nor on the
/// rounds.
class Gradient {
 public:
  /// `weights` and `buffer` must outlive the gradient.
  Gradient(const LayerShape& shape, const native::LayerPlan& plan, const GradientLayout& layout,
           const Weights& weights, const Parameters& parameters, GradientBuffer& buffer);

  /// Tasks that add up. The gradient must stay where it is.
  void add_tasks(native::TaskList& tasks);

  /// Makes the gradients of a slot zeros, and points to them.
  void begin(std::int64_t slot, std::int64_t slice, PieceDerivatives& derivatives) noexcept;

 private:
  /// One of PyTorch's two weights, and where a slice has it.
  struct Matrix {
    bool recurrent = false;
    FlatRange range{};
    std::int64_t columns = 0;
    std::int64_t stride = 0;
    std::size_t offset = 0;
  };
  /// Units [unit, unit + rows) of oneDNN's gate `gate`.
  struct Units {
    std::int64_t gate;
    std::int64_t first;
    std::int64_t count;
  };
  /// Their row of the first of them in PyTorch's weights and biases.
  std::int64_t row_of(const Units& units) const noexcept {
    return gate_order(shape_.cell)[static_cast<std::size_t>(units.gate)] * shape_.hidden_size +
           units.first;
  }
  void add_tasks(native::TaskList& tasks, const Matrix& matrix);
  double add_up(const Matrix& matrix, const Units& units, const native::Pass& pass);
  double add_up(const Matrix& matrix, const Units& units, std::int64_t column,
                const native::Pass& pass);
  void add(std::span<const Buffer> slices, std::size_t from, std::int64_t count,
           float* sums) const noexcept;
  double add_up_bias(const native::Pass& pass);
  double add_up_bias(std::int64_t row, std::int64_t gate, const FlatRange& bias,
                     const native::Pass& pass);
  /// The gradients of the slices of the round.
  std::span<const Buffer> slices(const native::Pass& pass) const noexcept {
    const std::int64_t left = pass.steps.slices() - first_;
    return std::span(slots_).first(
        static_cast<std::size_t>(std::min<std::int64_t>(left, std::ssize(slots_))));
  }
  /// Whether sums are complete after this round: only then are they squared and dropped.
  bool is_last_round(const native::Pass& pass) const noexcept {
    return first_ + std::ssize(slices(pass)) == pass.steps.slices();
  }

  LayerShape shape_;
  std::int64_t layer_;
  const Weights& weights_;
  GradientBuffer& buffer_;
  kernels::SumOfSquaresKernel sum_of_squares_;
  Matrix ih_, hh_;
  std::vector<FlatRange> biases_;  // of the two, or none
  std::size_t bias_offset_;
  std::int64_t first_ = 0;     // slice of the round
  std::vector<Buffer> slots_;  // of its slices
};

}  // namespace quadgate::onednn
