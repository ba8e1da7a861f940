#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend/pack_task.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/parameters.h"
#include "engine/native/packed_steps.h"
#include "engine/native/row_view.h"
#include "engine/native/task_list.h"
#include "kernels/base/isa.h"
#include "kernels/matrix/sum_of_squares/sum_of_squares.h"

namespace quadgate::native {

/// The table that turns tokens into features, as torch.nn.Embedding has it, and its gradient. Only
/// the rows of a batch's tokens cost anything. GradientBuffer::present_rows lists them.
class Embedding {
 public:
  /// Plans for batches of at most `capacity` tokens. `parameters` must outlive it.
  Embedding(const ModelConfig& config, std::int64_t capacity, kernels::Isa isa,
            const Parameters& parameters, GradientBuffer& gradient);

  /// The features of a token, [embedding_size].
  const float* row(std::int32_t token) const noexcept { return table_ + token * width_; }

  /// Tasks for the table. They copy nothing: the kernels read the parameters themselves. A tied
  /// table is the head's, and a sparse one has no tasks.
  void add_pack_tasks(std::vector<PackTask>& tasks) const;

  /// The rows of the table that are those of a batch's tokens, each once.
  std::vector<std::int32_t> rows_of(const Batch& batch) const;

  /// Finds the rows of `d` of each token of a batch, for the gradient. They are packed rows of
  /// `steps`, or, if that is null, the places of the batch's tokens.
  void assign(const Batch& batch, const PackedSteps* steps);

  /// Tasks that compute the gradient of the assigned batch from that of the features, `d`
  /// [rows, embedding_size]. One core sums a token's rows of d in their order. The gradient of a
  /// token that only the batch before held becomes zero again. The tasks of a tied table add to the
  /// gradient of the head's weight, which must be complete, and have the squares of the sum. The
  /// embedding must stay where it is.
  void add_gradient_tasks(TaskList& tasks, const RowView& d);

 private:
  double gradient(std::int64_t task, const RowView& d);
  double add_to_tied(std::int64_t task, const RowView& d);
  void add_rows(std::size_t place, bool is_first, const RowView& d);
  void clear_absent(std::int64_t task);
  bool counts(std::int32_t token) const noexcept { return token != padding_; }
  std::size_t cut(std::int64_t task) const noexcept;

  kernels::SumOfSquaresKernel sum_of_squares_;
  std::int64_t width_;
  std::int32_t padding_;  // -1: none
  bool tied_;
  FlatRange dense_;  // of the table, if all of its rows are updated by tasks for it
  std::int64_t capacity_;
  std::int64_t tasks_;
  const float* table_;
  FlatRange range_;
  float* gradient_;
  std::vector<std::int32_t>& present_;  // the batch's tokens, in order of their first row of d
  std::vector<std::int32_t> absent_;    // those of the batch before
  std::vector<std::int32_t> place_;     // [vocabulary]: of a token in present_, or -1
  std::vector<std::int64_t> begin_;     // [tokens + 1]: where the rows of each token begin in rows_
  std::vector<std::int64_t> rows_;      // rows of d by token, padding left out
};

/// Where the features of a batch's steps are: those of its tokens if there is an embedding, else in
/// x [steps, width].
struct StepFeatures {
  const Embedding* embedding = nullptr;
  const std::int32_t* tokens = nullptr;
  const float* x = nullptr;
  std::int64_t width = 0;

  const float* at(std::int64_t step) const noexcept {
    return embedding != nullptr ? embedding->row(tokens[step]) : x + step * width;
  }
};

}  // namespace quadgate::native
