#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/cell_kernels.h"
#include "engine/native/done.h"
#include "engine/native/embedding.h"
#include "engine/native/packed_matrix.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

/// The convolution of the native backend with its ReLU and pooling (see ConvConfig). It convolves
/// each sequence within its own length.
///
/// The array x holds the sequences of a batch with their padding. The array z holds what the kernel
/// makes of x before ReLU. A window of x makes the row of z where the window ends. With kernel_size
/// 3, padding 1, and a sequence of 4 steps:
///
///     row |  0  |  1  |  2  |  3  |  4  |  5  |
///     x   | pad | x_0 | x_1 | x_2 | x_3 | pad | next sequence ...
///     z   |  0  |  0  | z_0 | z_1 | z_2 | z_3 | next sequence ...
///
/// z_0 comes of rows 0 to 2 of x. On the way back a window of d(z) and the reversed kernel make the
/// row of d(x) where the window begins.
///
/// In bf16 the products are those of rounded numbers. x has pairs of neighbours
/// (kernels/matrix/bf16/bf16.h). z is of floats, and d(z) is rounded where it lies: its pairs fill
/// half of each row.
class Conv {
 public:
  using Forward = Done<Conv, Step::forward>;

  /// Plans all memory. `cell` tells the arithmetic and the panels; `parameters` must outlive it.
  Conv(const NetworkPlan& plan, const CellKernels& cell, const Parameters& parameters,
       GradientBuffer& gradient);

  /// A task that takes over changed weights. The convolution must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);

  /// Takes over the lengths of the batch to come. Returns the offsets of its output (see
  /// PackedSteps::assign).
  std::span<const std::int64_t> assign(const Batch& batch);

  /// Fills `output` from the features of the batch, for the work's sequences. At return it is
  /// complete for all members.
  Forward forward(const WorkRange& work, const StepFeatures& features);
  /// What goes into the recurrent stack, [packed rows, channels].
  RowView output() noexcept { return {y_.data(), config_.channels}; }
  /// Makes z its derivative from dy, the derivative of `output`. It uses dy up. If the model asks
  /// for the derivative of the features, it fills d_input as well.
  void backward(Forward forward, const RowView& dy);
  /// The derivative of the features [tokens of the batch, I].
  RowView d_input() noexcept { return {d_x_.data(), input_size_}; }

  /// Tasks that compute the weight gradients. The convolution must stay where it is.
  void add_gradient_tasks(TaskList& tasks);

 private:
  bool rounds() const noexcept { return kernels_.arithmetic != kernels::Arithmetic::floats; }
  /// Terms of a sum over so many numbers: they or their pairs.
  std::int64_t terms(std::int64_t numbers) const noexcept {
    return rounds() ? (numbers + 1) / 2 : numbers;
  }
  /// Weights in the order of a window, [channels, kernel_size, I].
  std::int64_t window() const noexcept { return config_.kernel_size * input_size_; }
  /// So many numbers, in bf16 with the zero that fills their last pair.
  std::int64_t filled(std::int64_t numbers) const noexcept {
    return rounds() ? 2 * terms(numbers) : numbers;
  }
  /// The first row of a sequence. z_0 lies `delay_` rows behind it.
  std::int64_t begin(const Batch& batch, std::int64_t row) const noexcept {
    return batch.offsets[static_cast<std::size_t>(row)] + 2 * config_.padding * row;
  }
  RowView x() noexcept { return {x_.data(), terms(input_size_)}; }
  RowView z() noexcept { return {z_.data(), config_.channels}; }
  /// Calls body(place, row in the batch) for the work's sequences.
  template <typename Body>
  static void for_each_sequence(const WorkRange& work, Body body);
  void pack();
  void load(const WorkRange& work, const StepFeatures& features);
  void convolve(std::int64_t first, std::int64_t rows);
  void backward_input(const WorkRange& work);
  void round(std::int64_t rows, std::int64_t columns, const float* from,
             const RowView& to) const noexcept;
  /// Of the gradient: some channels and columns of a window. With the first columns it has the
  /// bias.
  struct Part {
    std::int64_t channel = 0;
    std::int64_t channels = 0;
    std::int64_t column = 0;
    std::int64_t columns = 0;
  };
  double gradient(const Part& part);
  void scatter(const Part& part) noexcept;

  ConvConfig config_;
  std::int64_t input_size_;
  std::int64_t delay_;  // of z: kernel_size - 1 rows
  kernels::MatrixKernels kernels_;
  std::int64_t width_;  // of a panel
  const float* weight_values_;
  const float* bias_values_;
  FlatRange weight_range_, bias_range_;  // in the flat arrays
  float* weight_gradient_;               // [channels, I, kernel_size]
  float* bias_gradient_;
  Buffer weight_;                   // in the order of a window
  Buffer gradient_;                 // likewise, each I filled
  Buffer bias_;                     // padded to whole vectors
  PackedMatrix forward_;            // x windows W^T
  PackedMatrix backward_;           // d(z) windows times the reversed kernel; with d_x_
  Buffer x_, z_;                    // z becomes d(z) on the way back
  Buffer y_;                        // [packed rows, channels]
  Buffer d_x_;                      // if it is asked for
  std::int64_t capacity_;           // of x, in rows
  std::int64_t rows_ = 0;           // of x and z, of the batch
  std::vector<std::int64_t> ends_;  // what assign returns
};

}  // namespace quadgate::native
