#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/backend/backend.h"
#include "engine/base/buffer.h"
#include "engine/model/gradient_buffer.h"
#include "engine/onednn/batch_slice.h"
#include "engine/onednn/gradient_sum.h"
#include "engine/onednn/lstm_stack.h"

namespace quadgate::onednn {

/// Cuts a batch into slices of a fixed number of rows. A core takes a slice through oneDNN's
/// primitives, forward and back. Each slice has weight gradients of its own.
class Backend final : public quadgate::Backend {
 public:
  Backend(const NetworkPlan& plan, const Parameters& parameters, Arena& arena);

  BackendKind kind() const noexcept override { return BackendKind::onednn; }
  void pack(const WeightArrival& arrival) override;
  void update(const RangeUpdate& update, const SparseRows& rows) override;
  Metrics evaluate(const Batch& batch) override;
  void predict(const Batch& batch, std::span<float> outputs) override;
  Derivative differentiate(const Batch& batch, const DropoutKey& dropout, float gradient_scale,
                           const GradientListener* listener) override;
  std::span<const float> gradient_values() const noexcept override {
    return gradient_.view(0).values;
  }
  PhaseTimes& phase_times() noexcept override { return times_; }

 private:
  template <typename PerShard>
  Metrics run(const Batch& batch, PerShard per_slice);

  NetworkPlan plan_;
  GradientBuffer gradient_;
  Arena& arena_;
  std::int64_t rows_;  // of a slice
  StackWeights weights_;
  GradientSum gradient_sum_;
  // As many slices as can run at once; each takes its turns over the rows of a batch.
  std::vector<std::unique_ptr<BatchSlice>> at_work_;
  std::vector<Metrics> metrics_;   // of each slice of the batch
  std::vector<Buffer> gradients_;  // likewise
  std::vector<PhaseTimes> slice_times_;
  PhaseTimes times_;
};

}  // namespace quadgate::onednn
