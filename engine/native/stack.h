#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/config.h"
#include "engine/model/dropout.h"
#include "engine/model/gradient_buffer.h"
#include "engine/model/network_options.h"
#include "engine/model/parameters.h"
#include "engine/model/recurrent_states.h"
#include "engine/native/done.h"
#include "engine/native/dropout.h"
#include "engine/native/embedding.h"
#include "engine/native/pack_stages.h"
#include "engine/native/packed_steps.h"
#include "engine/native/recurrent_layer.h"
#include "engine/native/row_view.h"
#include "engine/native/slices.h"
#include "engine/native/task_list.h"
#include "engine/native/workers.h"
#include "kernels/base/isa.h"
#include "kernels/matrix/bf16/bf16.h"

namespace quadgate::native {

/// What a recurrent stack is planned for.
struct StackPlan {
  RecurrentConfig config;
  std::string prefix;  ///< of its parameters: "rnn." or nothing
  std::int64_t seq_len = 0;
  std::int64_t batch_size = 0;
  int cores = 1;
  Slices slices{};
  std::int64_t slots = 0;  ///< see Workers
  Precision precision = Precision::f32;
  Arithmetic arithmetic = Arithmetic::fastest;
  bool has_states = false;          ///< the caller gives initial states, or takes final ones
  bool has_d_input = false;         ///< the derivative of the input is asked for
  bool has_callers = false;         ///< every pass has all CallersRows
  bool forward_only = false;        ///< there is no backward pass
  kernels::Isa isa;                 ///< of all its kernels
  const LayerKind* kind = nullptr;  ///< of its layers; null: Layer
};

/// The recurrent layers of a model with their dropout, and the features between them,
/// for whole batches.
class Stack {
 public:
  using Loaded = Done<Stack, Step::load>;
  using Forward = Done<Stack, Step::forward>;
  using Backward = Done<Stack, Step::backward>;

  /// Plans all memory; `parameters` must outlive the stack.
  Stack(const StackPlan& plan, const Parameters& parameters, GradientBuffer& gradient);

  /// Tasks that take over changed weights of a layer: those of the product with its input, and the
  /// others. Whoever runs them calls `weights_changed` as well. The stack must stay where it is.
  void add_input_pack_tasks(std::int64_t layer, std::vector<PackTask>& tasks);
  void add_recurrent_pack_tasks(std::int64_t layer, std::vector<PackTask>& tasks);
  void weights_changed() noexcept { has_plain_weights_ = false; }

  /// Begins a pass over a batch. The stack's rows have these `offsets`, which are the batch's
  /// unless there is a convolution. They must fit the plan (see PackedSteps). With weight_dropout,
  /// the workers pack W_hh as the pass multiplies with it.
  Pass begin(const Batch& batch, std::span<const std::int64_t> offsets, const DropoutKey* dropout,
             std::optional<float> gradient_scale, Workers& workers);

  /// How often a member of a team waits for the others in a pass forward and back, but for a few
  /// times a layer.
  std::int64_t team_waits(const Pass& pass) const noexcept {
    const std::int64_t each_way = config_.proj_size > 0 ? 2 : 1;
    return 2 * each_way * pass.steps.seq_len() * config_.num_layers * directions_;
  }

  /// Copies the features of the work's rows to where the first layer reads them. Those of step t of
  /// the sequence at a place of the packed steps are at `features(place, t)`.
  template <typename Rows>
  Loaded load_rows(const WorkRange& work, Rows features);
  /// Copies those of the batch's steps.
  Loaded load(const WorkRange& work, const StepFeatures& features);
  /// Copies rows [packed rows, I] that are complete for all members.
  Loaded load(const WorkRange& work, const RowView& features);
  /// With has_states: sets the states before the first step. null: zeros.
  void load_states(const Loaded& loaded, const RecurrentStates* states);

  /// Runs all layers, from what is loaded to `output`. It finishes the `stages`, unless null, two a
  /// layer: what its input is multiplied with, and the rest.
  Forward forward(Loaded loaded, PackStages* stages = nullptr);
  /// The last layer's output [packed rows, output_size], with its dropout if the pass drops.
  RowView output(const Forward& forward) noexcept { return output(forward.pass()); }
  RowView output(const Differentiated& backward) noexcept { return output(backward.pass()); }
  RowView output(const Everywhere<Forward>& forward) noexcept { return output(forward.pass()); }
  /// With has_states: copies the states at the last steps of the sequences.
  void store_states(const Forward& forward, RecurrentStates& states);

  /// The derivative of `output`. The caller fills it, and `backward` reads it.
  RowView d_output() noexcept { return d_output(config_.num_layers - 1); }
  /// The same for the rows of a work. It is another one where slices go back at once.
  RowView d_output(const WorkRange& work) noexcept {
    return d_output(config_.num_layers - 1, &work);
  }
  /// Computes the derivatives of all layers, or of those from the last down to `down_to`, from
  /// d_output and those of the final states. null: zeros.
  Backward backward(Forward forward, const RecurrentStates* d_states, std::int64_t down_to = 0);
  /// Goes on with the layer below.
  Backward go_on_backward(const Backward& above, std::int64_t layer);
  /// With has_d_input: the derivative of the input [packed rows, I]. `backward` fills it.
  RowView d_input() noexcept { return d_output(-1); }
  RowView d_input(const WorkRange& work) noexcept { return d_output(-1, &work); }
  /// With has_states: copies the derivatives of the states before the first step.
  void store_d_states(const Backward& backward, RecurrentStates& d_states);

  /// Tasks that compute the weight gradients. The stack must stay where it is.
  void add_gradient_tasks(TaskList& tasks);

 private:
  /// The memory of LayerRows.
  struct Features {
    Buffer rows;
    Buffer pairs;
  };
  template <typename Body>
  void for_each_state(const WorkRange& work, Body body);
  Buffer pairs(std::int64_t rows, std::int64_t parts, std::int64_t width) const;
  Features features(std::int64_t rows, std::int64_t parts, std::int64_t width) const {
    return {Buffer(floats(rows, parts * width)), pairs(rows, parts, width)};
  }
  /// Rows of an array that is used between two layers only: those of all slots, or all rows.
  std::int64_t inner_rows() const noexcept {
    return slot_rows_ > 0 ? slots_ * slot_rows_ : steps_.initial_rows() + capacity_;
  }
  /// From the packed rows of a work to its rows of such an array.
  std::int64_t shift(const WorkRange* work) const noexcept {
    return work != nullptr && slot_rows_ > 0 ? work->slot * slot_rows_ - work->row(0) : 0;
  }
  RecurrentLayer& layer(std::int64_t index, std::int64_t direction) noexcept {
    return *layers_[static_cast<std::size_t>(index * directions_ + direction)];
  }
  void plan_dropout(const StackPlan& plan);
  Features& output_of(std::int64_t layer, bool dropped) noexcept {
    const auto at = static_cast<std::size_t>(layer);
    return dropped && dropout_before(layer + 1).is_on() ? dropped_[at] : y_[at % y_.size()];
  }
  void sync_recurrent_weights(const Pass& pass, Workers& workers);
  /// The dropout in front of a layer, or behind the last.
  const FeatureDropout& dropout_before(std::int64_t layer) const noexcept {
    return dropouts_[static_cast<std::size_t>(layer)];
  }
  void drop_output(const WorkRange& work, std::int64_t layer);
  void layer_backward(const Forward& forward, std::int64_t layer);
  /// In bf16: rounds the rows of the work's sequences to pairs, for all members.
  void round(const WorkRange& work, const LayerRows& features, std::int64_t parts) const;
  void load_d_states(const WorkRange& work, const RecurrentStates* d_states);

  RowView output(const Pass& pass) noexcept { return input(config_.num_layers, pass.drops()).rows; }
  /// The features that go into a layer, or, behind the last, come out of the stack, of some work.
  /// If `dropped`, they have gone through dropout.
  LayerRows input(std::int64_t layer, bool dropped, const WorkRange* work = nullptr) noexcept;
  /// The features that come out of one direction of a layer.
  LayerRows output(std::int64_t layer, std::int64_t direction,
                   const WorkRange* work = nullptr) noexcept;
  /// The derivative of what comes out of a layer. Layer -1 is the stack's input.
  RowView d_output(std::int64_t layer, const WorkRange* work = nullptr) noexcept;

  RecurrentConfig config_;
  std::int64_t directions_;
  std::int64_t capacity_;  // packed rows
  int cores_;
  std::int64_t slots_;
  std::int64_t slot_rows_;  // of a slot in the arrays between layers; 0: these hold all rows
  Precision precision_;
  kernels::Bf16RowsKernel round_rows_;
  PackedSteps steps_;
  std::vector<std::unique_ptr<RecurrentLayer>> layers_;
  Features x_;
  // Of each layer, with the initial states of h in front. Without these and a backward pass, layers
  // take turns.
  std::vector<Features> y_;
  std::vector<FeatureDropout> dropouts_;  // before each layer, and behind the last
  std::vector<Features> dropped_;         // of each layer, if there is dropout behind it
  bool has_plain_weights_ = false;        // with weight_dropout: the panels hold W_hh as it is
  std::array<Buffer, 2> d_;               // of the layers' outputs, in turns, if there are several
  Buffer d_x_;                            // with has_d_input
};

template <typename Rows>
Stack::Loaded Stack::load_rows(const WorkRange& work, Rows features) {
  const std::int64_t width = config_.input_size;
  for (auto& one : dropouts_) one.draw(work);
  const bool drops = work.pass.drops() && dropout_before(0).is_on();
  const RowView x = input(0, false, &work).rows;
  const bool copies = work.pass.callers.x.data == nullptr || work.pass.callers.loads;
  const auto share = work.member.share(copies ? work.last - work.first : 0);
  for (std::int64_t place = work.first + share.begin; place < work.first + share.end; ++place) {
    for (std::int64_t t = 0; t < work.pass.steps.length(place); ++t) {
      const float* const from = features(place, t);
      float* const to = x.at(work.pass.steps.row(place, t));
      drops ? dropout_before(0).apply(work, place, t, from, to)
            : static_cast<void>(std::copy_n(from, width, to));
    }
  }
  work.member.wait();
  round(work, input(0, false, &work), 1);
  return Loaded(work);
}

}  // namespace quadgate::native
