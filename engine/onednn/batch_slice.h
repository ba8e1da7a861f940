#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "engine/base/buffer.h"
#include "engine/model/batch.h"
#include "engine/model/config.h"
#include "engine/model/loss.h"
#include "engine/model/parameters.h"
#include "engine/onednn/gradient_sum.h"
#include "engine/onednn/linear.h"
#include "engine/onednn/lstm_stack.h"

namespace quadgate::onednn {

/// The whole model over one slice of a batch, on one core. A slice has a fixed number of rows, so
/// that its products have the same shapes in every batch; its last rows may be padding.
class BatchSlice {
 public:
  /// Plans for `rows` rows of `seq_len` steps. `parameters` and `weights` must outlive it. Make it
  /// within Arena::for_each.
  BatchSlice(const ModelConfig& config, const Parameters& parameters, const StackWeights& weights,
             std::int64_t seq_len, std::int64_t rows);

  /// The rows of a batch that have gone up to the head's outputs.
  class Forward {
   public:
    Forward(Forward&&) noexcept = default;
    Forward& operator=(Forward&&) noexcept = default;

   private:
    friend class BatchSlice;
    Forward(const Batch& batch, LstmStack::Forward lstm) noexcept
        : batch_(&batch), lstm_(std::move(lstm)) {}

    const Batch* batch_;
    LstmStack::Forward lstm_;
  };
  /// Runs the rows of `batch` from first_row on, as many as fit. Batch and dropout must outlive
  /// what it returns.
  Forward forward(const Batch& batch, std::int64_t first_row, const DropoutMask* dropout);

  /// Copies the outputs of the rows to their place in Network::predict's.
  void copy_outputs(const Forward& forward, std::span<float> outputs) const;

  /// The loss of the rows.
  Metrics loss(const Forward& forward);

  /// The loss of rows, with its gradient.
  class Loss {
   public:
    Loss(Loss&&) noexcept = default;
    Loss& operator=(Loss&&) noexcept = default;

    const Metrics& metrics() const noexcept { return metrics_; }

   private:
    friend class BatchSlice;
    Loss(Forward forward, const Metrics& metrics) noexcept
        : forward_(std::move(forward)), metrics_(metrics) {}

    Forward forward_;
    Metrics metrics_;
  };
  /// The gradient is multiplied by `gradient_scale`.
  Loss loss(Forward forward, float gradient_scale);

  /// The weight gradients, laid out as `sum` says.
  void backward(const Loss& loss, const GradientSum& sum, float* gradients);

 private:
  Metrics loss(const Batch& batch, float gradient_scale, float* d_outputs);
  void load(const Batch& batch);
  void load_labels(const Batch& batch);
  /// Calls body(features of an LSTM output, features of the head's input) for each piece of h_n.
  template <typename Body>
  void for_each_final_state(Body body);

  ModelConfig config_;
  quadgate::Loss loss_;
  const Parameters& parameters_;
  std::int64_t seq_len_;
  std::int64_t rows_;
  std::int64_t first_row_ = 0;
  std::int64_t used_rows_ = 0;         // the others are padding
  std::vector<std::int64_t> lengths_;  // [rows], 0 in padding
  std::vector<std::int64_t> labels_;   // [rows], or [T * rows] for tagging
  LstmStack lstm_;
  Linear head_;
  Buffer pooled_, d_pooled_;  // the head's input [rows, D], unless it is the LSTM's whole output
  Buffer outputs_, d_outputs_;
};

}  // namespace quadgate::onednn
