#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/model/gradient_buffer.h"
#include "engine/native/conv.h"
#include "engine/native/embedding.h"
#include "engine/native/head.h"
#include "engine/native/normalization.h"
#include "engine/native/pack_stages.h"
#include "engine/native/stack.h"
#include "engine/native/task_list.h"
#include "engine/native/vocabulary_head.h"
#include "engine/native/workers.h"

namespace quadgate::native {

/// The model over whole batches. A core takes a range, or a slice, of the sequences through
/// all layers, forward and back, and does not wait for the others. A team of cores does so where
/// the sequences are few. Then all cores share the tasks of the weight gradients. They also share a
/// head of many classes, between the passes forward and back.
class Backend final : public quadgate::Backend {
 public:
  /// Its recurrent layers are of a kind, or, if that is null, Layers.
  Backend(const NetworkPlan& plan, const Parameters& parameters, Arena& arena,
          const LayerKind* layers = nullptr);

  BackendKind kind() const noexcept override { return kind_; }
  void pack(const WeightArrival& arrival) override;
  void update(const RangeUpdate& update, const SparseRows& rows) override;
  Metrics evaluate(const Batch& batch) override;
  void predict(const Batch& batch, std::span<float> outputs) override;
  Derivative differentiate(const Batch& batch, const DropoutKey& dropout, float gradient_scale,
                           const GradientListener* listener) override;
  std::vector<FlatRange> gradient_ranges() const override;
  std::optional<StepPlan> step_plan(const Batch& batch) override;
  std::vector<FlatRange> awaited_ranges() const override { return pack_stages_.awaited(); }
  std::span<const float> gradient_values() const noexcept override {
    return gradient_.view(0).values;
  }
  RecurrentStates* carried_states() noexcept override {
    return carries_states_ ? &states_ : nullptr;
  }
  PhaseTimes& phase_times() noexcept override { return workers_.times(); }

 private:
  Pass begin(const Batch& batch, const DropoutKey* dropout, std::optional<float> gradient_scale);
  /// What the forward pass of all parts leaves.
  struct Forward {
    std::optional<Conv::Forward> conv;
    Stack::Forward stack;
  };
  Forward forward(const WorkRange& work);
  Head::Forward head_forward(const Forward& forward);
  void add_pack_stages();
  void add_gradient_tasks(bool tied);
  /// What the backward pass of all parts, or of the last layers, leaves.
  struct Backward {
    Stack::Backward stack;
    std::optional<Conv::Forward> conv;
  };
  Backward backward(Forward forward, std::int64_t down_to);
  /// The loss, and what the backward pass leaves.
  struct Differentiation {
    Metrics metrics;
    Everywhere<Backward> backward;
  };
  Differentiation differentiate_through_head(const Pass& pass, std::int64_t down_to);
  Differentiation differentiate_around_head(const Pass& pass, std::int64_t down_to,
                                            const GradientListener* listener);
  double gradients(const Everywhere<Backward>& backward, std::int64_t layer,
                   const GradientListener* listener);

  /// Those that go into convolution or recurrent stack.
  StepFeatures features(const Batch& batch) const noexcept;

  BackendKind kind_;
  GradientBuffer gradient_;
  Workers workers_;
  std::optional<Embedding> embedding_;
  std::optional<Normalization> normalization_;
  std::optional<Conv> conv_;
  Stack stack_;
  std::optional<Head> head_;
  std::optional<VocabularyHead> vocabulary_head_;  // where there is no other
  PackStages pack_stages_;
  TaskList gradient_tasks_;
  TaskList round_tasks_;  // of the recurrent layers, see Workers::after_each_round
  TaskList tied_tasks_;   // run later: they add to the gradient of the head's weight
  std::int64_t input_size_;
  bool drops_;
  bool drops_weights_;
  std::int64_t layers_;
  bool carries_states_;
  RecurrentStates states_;
};

}  // namespace quadgate::native
