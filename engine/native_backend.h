#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/backend.h"
#include "engine/buffer.h"
#include "engine/embedding.h"
#include "engine/native_head.h"
#include "engine/native_layer.h"
#include "engine/packed_rows.h"
#include "engine/packed_steps.h"
#include "engine/team.h"
#include "engine/team_plan.h"

namespace quadgate {

/// The model over whole batches with our own kernels. Each core, or team of cores where there are
/// few sequences, takes a range of them through all layers, forward and backward, without waiting
/// for the others; then the cores share the tiles of the weight gradients.
class NativeBackend final : public Backend {
 public:
  NativeBackend(const NetworkPlan& plan, Parameters& parameters, Arena& arena);

  BackendKind kind() const noexcept override { return BackendKind::native; }
  void refresh() override;
  Metrics evaluate(const Batch& batch) override;
  void predict(const Batch& batch, std::span<float> outputs) override;
  Metrics differentiate(const Batch& batch, const DropoutKey& dropout, float gradient_scale,
                        double& gradient_norm) override;
  PhaseTimes& phase_times() noexcept override { return times_; }

 private:
  /// Calls body(index) for each index on the cores, or here if the steps are small.
  template <typename Body>
  void share(std::int64_t count, Body body);
  /// Calls body(index, times) for each index on the cores; what they did not use counts as waiting.
  template <typename Body>
  void for_each(std::int64_t count, Body body);
  /// Calls body(work) for each range of the batch's sequences.
  template <typename Body>
  void for_each_range(const Batch& batch, Body body);

  TeamPlan team_plan(std::int64_t rows) const noexcept;
  void forward(const NativeWork& work, const Batch& batch, const DropoutKey* dropout);
  void backward(const NativeWork& work, const DropoutKey* dropout);
  void load(const NativeWork& work, const Batch& batch);
  void drop(const NativeWork& work, const DropoutKey& key, std::int64_t layer,
            const PackedRows& values) const;
  void gradient(std::int64_t task, bool dropped);
  /// The features of a step of the batch.
  const float* features_of(const Batch& batch, std::int64_t step) const noexcept;

  NativeLayer& layer(std::int64_t index, std::int64_t direction) noexcept {
    return layers_[static_cast<std::size_t>(index * directions_ + direction)];
  }
  /// Rows of features as they go into layers and come out, and their words in bf16.
  struct Features {
    Buffer rows;
    Buffer words;
  };
  Features features(std::int64_t parts, std::int64_t width) const;
  /// In bf16, rounds rows of all directions of the work's sequences to words, for all members.
  void round(const NativeWork& work, const LayerRows& features, std::int64_t parts) const;

  /// What goes into a layer, if `dropped` after dropout.
  LayerRows input(std::int64_t layer, bool dropped) noexcept;
  /// What comes out of one direction of it.
  LayerRows output(std::int64_t layer, std::int64_t direction) noexcept;
  /// The derivative of what comes out of it, both directions; -1 is the network's input.
  PackedRows d_output(std::int64_t layer) noexcept;

  RecurrentConfig config_;
  Arena& arena_;
  std::int64_t capacity_;  // packed rows
  bool small_;
  Precision precision_;
  std::int64_t team_size_;
  std::vector<Team> teams_;  // of each range of sequences
  std::int64_t directions_;
  NativeCell cell_;
  PackedSteps steps_;
  std::optional<Embedding> embedding_;
  std::vector<NativeLayer> layers_;
  NativeHead head_;
  Features x_;
  std::vector<Features> y_;        // of each layer
  std::vector<Features> dropped_;  // of each layer but the last, if there is dropout
  std::array<Buffer, 2> d_;        // of the layers' outputs, in turns
  Buffer d_x_;                     // with an embedding
  std::int64_t gradient_tasks_ = 0;
  std::vector<PhaseTimes> task_times_;
  PhaseTimes times_;
};

}  // namespace quadgate
