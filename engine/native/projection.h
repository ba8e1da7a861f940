#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/cell_kernels.h"
#include "engine/native/layer_plan.h"
#include "engine/native/packed_weight.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

/// The projection of one direction of an LSTM layer, h = W_hr m with m = o tanh(c)
/// (https://docs.pytorch.org/docs/2.13/generated/torch.nn.LSTM.html, proj_size), for whole batches,
/// in f32 always.
class Projection {
 public:
  /// Plans all memory. A member's share of features is a whole number of `share_width`.
  Projection(std::int64_t share_width, const RecurrentConfig& config, const LayerPlan& plan,
             const Parameters& parameters, GradientBuffer& buffer);

  /// Tasks that take over changed weights. The projection must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks) { packed_.add_pack_tasks(tasks); }

  /// m [rows, H] of all steps, which the step kernels write. Without a backward pass it is that of
  /// one step, by the sequences' places.
  RowView m() noexcept { return {m_.data(), hidden_size_}; }
  std::int64_t m_row(std::int64_t row, std::int64_t place) const noexcept {
    return keeps_all_ ? row : place;
  }
  /// Computes the member's share of y at step t. It waits until all members have written their
  /// shares of m there. The next wait of all makes y complete.
  void forward(const WorkRange& work, std::int64_t t, const RowView& y) const;

  /// d(m) [batch_size, H] of the sequences at the step of the last `backward`.
  RowView d_m() noexcept { return {d_m_.data(), hidden_size_}; }
  /// Computes the member's share of d(m) from d(h) = dy + dh at step t. It reads the member's share
  /// of dh.
  void backward(const WorkRange& work, std::int64_t t, const RowView& dy, const RowView& dh);

  /// Tasks that compute the weight gradient of at most `capacity` packed rows. The projection must
  /// stay where it is.
  void add_gradient_tasks(TaskList& tasks, std::int64_t layer, std::int64_t capacity);

 private:
  double gradient(std::int64_t panel, const PackedSteps& steps);
  Team::Member::Share share_of(const WorkRange& work, const PackedMatrix& matrix) const noexcept;

  bool keeps_all_;  // m
  std::int64_t hidden_size_;
  std::int64_t proj_size_;
  std::int64_t share_width_;
  CellKernels cell_;  // for its panels of floats
  PackedWeight packed_;
  FlatRange range_;
  GradientBuffer& buffer_;
  Buffer m_;
  Buffer d_m_;
  Buffer d_h_;  // [capacity, P], complete: for the weight gradient
};

}  // namespace quadgate::native
