#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/done.h"
#include "engine/native/head.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "engine/native/work_range.h"

namespace quadgate::native {

/// Takes the level of each sequence out of its features, and puts it back into the head's outputs
/// (see NormalizationConfig), in f32 always. Each member of a team takes a share of the sequences,
/// the same one as the head.
class Normalization {
 public:
  /// Plans all memory; `parameters` must outlive it.
  Normalization(const NetworkPlan& plan, const Parameters& parameters, GradientBuffer& gradient);

  /// Tasks for the parameters. They copy nothing: the parameters are read where they are.
  void add_pack_tasks(std::vector<PackTask>& tasks) const;

  /// Finds the level of the work's sequences, and fills the normalized features [steps of the
  /// batch, I], if it changes any. At return they are complete for all members.
  void forward(const WorkRange& work);
  /// Null where the features stay as they are.
  const float* features() const noexcept { return x_.data(); }

  /// Puts the level back into the head's outputs.
  void restore(const Head::Forward& forward, const RowView& outputs);
  /// Makes the derivative of what `restore` gave that of the head's outputs.
  void backward(const Head::Losses& losses, const RowView& d_outputs);

  /// Tasks that compute the gradient of the parameters, from `d_outputs` and the derivative of the
  /// features, d_x. That has rows by the batch's steps if `in_batch_order`, else packed rows. The
  /// normalization must stay where it is.
  void add_gradient_tasks(TaskList& tasks, const RowView& d_x, bool in_batch_order,
                          const RowView& d_outputs);

 private:
  /// Columns that a task has the gradient of.
  struct Columns {
    std::int64_t first = 0;
    std::int64_t count = 0;
  };
  static constexpr std::int64_t kColumns = 16;  // of a task
  template <typename Body>
  static void for_each_place(const WorkRange& work, Body body);
  void measure(const float* x, std::int64_t steps, std::int64_t place);
  void normalize(const float* x, std::int64_t steps, std::int64_t place, float* to) const;
  double gradient(const Pass& pass, const Columns& columns, const RowView& d_x, bool in_batch_order,
                  const RowView& d_outputs);
  float* at(Buffer& buffer, std::int64_t place) const noexcept {
    return buffer.data() + place * input_size_;
  }
  const float* at(const Buffer& buffer, std::int64_t place) const noexcept {
    return buffer.data() + place * input_size_;
  }

  NormalizationConfig config_;
  std::int64_t input_size_;
  std::int64_t output_size_;
  std::vector<std::int64_t> columns_;  // of each output; -1: it has no level
  std::int64_t capacity_;              // steps of a batch
  Buffer x_;                           // [steps of the batch, I]
  Buffer level_, scale_;               // [batch_size, I], by place; scale_ of instance alone
  Buffer values_;  // [batch_size, output_size]: outputs before the scale, of instance alone
  const float* weight_ = nullptr;
  const float* bias_ = nullptr;
  FlatRange weight_range_, bias_range_;  // in the flat arrays
  float* weight_gradient_ = nullptr;
  float* bias_gradient_ = nullptr;
};

}  // namespace quadgate::native
