#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/backend/pack_task.h"
#include "engine/base/buffer.h"
#include "engine/model/crf.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/loss.h"
#include "engine/native/task_list.h"
#include "kernels/matrix/matrix_kernels.h"

namespace quadgate::native {

/// The conditional random field behind the head of the native backend. A core takes each sequence
/// of its share from front to back and back again; then the cores share the gradient of the
/// transitions, each some rows of it.
class CrfLoss {
 public:
  CrfLoss(const NetworkPlan& plan, const kernels::MatrixKernels& kernels,
          const Parameters& parameters, GradientBuffer& gradient);

  /// Tasks that take over changed weights. It must stay where it is.
  void add_pack_tasks(std::vector<PackTask>& tasks);

  /// Computes the loss of each sequence of a member's share, which stands at its first packed row,
  /// and the best tagging. `rows` are those of all packed rows, their logits `outputs`. If the pass
  /// has a `gradient_scale`, these become their gradients times it.
  void run(const WorkRange& work, const Loss::Rows& rows, float* outputs);

  /// Tasks that compute the gradients of the transitions, from `labels` and gradients `outputs` of
  /// all packed rows.
  void add_gradient_tasks(TaskList& tasks, const std::int64_t* labels, const float* outputs);

 private:
  double transitions(std::int64_t first, std::int64_t rows, const Pass& pass,
                     const std::int64_t* labels);
  double ends(const Pass& pass, const float* outputs);

  Crf crf_;
  std::int64_t tags_;
  std::int64_t capacity_;  // packed rows
  kernels::MatrixKernels kernels_;
  FlatRange start_range_, end_range_, range_;
  float* start_gradient_;
  float* end_gradient_;
  float* gradient_;        // of the transitions
  Buffer alphas_, betas_;  // [capacity, N]
  Buffer shifts_;          // [capacity]
};

}  // namespace quadgate::native
